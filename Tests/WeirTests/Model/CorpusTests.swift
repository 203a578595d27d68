import Foundation
import Testing

@testable import Weir

/// What the fuzzers start from and what they found, once each: as the fuzz targets run it, without the sanitizer.
struct CorpusTests {
    @Test(arguments: try files("protobuf"))
    func readsProtobuf(file: URL) throws {
        let bytes = Array(try Data(contentsOf: file))
        guard let batch = try? Batch(decoding: bytes, maxValueDepth: 8) else { return }
        try expectSound(batch)
    }

    @Test(arguments: try files("json"))
    func readsJSON(file: URL) throws {
        let bytes = Array(try Data(contentsOf: file))
        guard let batch = try? Batch(decodingJSON: bytes, maxValueDepth: 8) else { return }
        try expectSound(batch)
    }

    @Test func takesTheRequestsOfRealClients() throws {
        for name in ["sdk-01.pb", "sdk-03.pb", "every-field.pb"] {
            let file = try #require(try Self.files("protobuf").first { $0.lastPathComponent == name })
            let bytes = Array(try Data(contentsOf: file))
            let batch = try Batch(decoding: bytes)
            #expect(batch.rejected == Rejections())
            #expect(batch.spanCount > 0)
            let oracle = try #require(OracleRequest(bytes))
            try requireSame(Trace(batch), oracle.trace.known)
        }
    }

    /// The same trace in both encodings.
    @Test func readsTheSameFromBothEncodings() throws {
        let traces = try [
            ("protobuf", "every-field.pb"), ("json", "every-field.json"), ("json", "every-field-spaced.json"),
        ]
        .map { folder, name in
            let file = try #require(try Self.files(folder).first { $0.lastPathComponent == name })
            let bytes = Array(try Data(contentsOf: file))
            return folder == "json" ? Trace(try Batch(decodingJSON: bytes)) : Trace(try Batch(decoding: bytes))
        }
        try requireSame(traces[1], traces[0])
        try requireSame(traces[2], traces[0])
    }

    private func expectSound(_ batch: borrowing Batch) throws {
        let again = try Batch(decoding: batch.encoded, maxValueDepth: 8)
        #expect(again.rejected == Rejections())
        #expect(again.spanCount == batch.spanCount)
        var encoder = OTLPJSONEncoder()
        let json = try Batch(decodingJSON: Array(encoder.bytes(of: batch)), maxValueDepth: 8)
        #expect(json.rejected == Rejections())
        #expect(json.spanCount == batch.spanCount)
    }

    private static func files(_ kind: String) throws -> [URL] {
        let folder = Bundle.module.bundleURL.appending(path: "Fixtures/corpus/\(kind)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}

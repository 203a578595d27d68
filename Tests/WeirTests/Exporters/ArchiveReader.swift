import Foundation
import Testing

@testable import Weir

/// Reads the files of an archive by what their names end in.
enum ArchiveReader {
    /// What is in a file, decompressed.
    /// - Parameter keys: of one that is sealed.
    static func contents(
        of file: String, of directory: TemporaryDirectory, _ keys: ArchiveKeys? = nil
    ) throws -> [UInt8] {
        var name = file
        for suffix in [".open", ArchiveKeys.suffix] where name.hasSuffix(suffix) { name.removeLast(suffix.count) }
        let encoding: ContentEncoding =
            name.hasSuffix(".zst") ? .zstd : name.hasSuffix(".gz") ? .gzip : .identity
        var reader = try FileReader("\(directory.path)/\(file)", opening: keys)
        let bytes = try reader.next(upTo: reader.length)
        var inflater = try Inflater()
        let payload = try bytes.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: 1 << 30) }
        return withExtendedLifetime(payload) { Array($0.bytes) }
    }

    static func isEmpty(_ file: String, of directory: TemporaryDirectory) throws -> Bool {
        try !file.hasSuffix(".parquet") && contents(of: file, of: directory).isEmpty
    }

    /// The messages in a file, without their framing.
    static func messages(
        in file: String, of directory: TemporaryDirectory, _ keys: ArchiveKeys? = nil
    ) throws -> [[UInt8]] {
        var rest = try contents(of: file, of: directory, keys)[...]
        if file.contains(".jsonl") {
            #expect(rest.last == UInt8(ascii: "\n"))
            return rest.split(separator: UInt8(ascii: "\n")).map(Array.init)
        }
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            try #require(rest.count >= 4 + length)
            messages.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        return messages
    }

    /// The ids of all spans in these files, sorted; one that is there twice stands twice.
    static func spanIDs(
        in files: [String], of directory: TemporaryDirectory, _ keys: ArchiveKeys? = nil
    ) throws -> [UInt64] {
        try files.flatMap { file in
            try messages(in: file, of: directory, keys).flatMap { message in
                try SampleBatch.decode(message, isJSON: file.contains(".jsonl")) { $0.spans.map(\.spanID) }
            }
        }.sorted()
    }

    /// The line at the end of a compressed file, found without knowing what is in front of it; nil if there is none.
    static func footer(of file: String, of directory: TemporaryDirectory) throws -> [String: String]? {
        let tail = String(decoding: try directory.contents(of: file).suffix(256), as: UTF8.self)
        guard let start = tail.range(of: #"{"journal":"#, options: .backwards)?.lowerBound,
            let end = tail[start...].firstIndex(of: "}")
        else { return nil }
        let object = try JSONSerialization.jsonObject(with: Data(tail[start...end].utf8))
        return try #require(object as? [String: Any]).mapValues { "\($0)" }
    }
}

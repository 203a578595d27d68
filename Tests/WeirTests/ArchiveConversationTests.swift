import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveConversationTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    @Test(arguments: ArchiveFormat.allCases)
    func saysWhichSpansOfWhichFilesAreAConversations(format: ArchiveFormat) async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        func span(_ id: UInt64, _ trace: String, _ conversation: String? = nil) -> String {
            let attributes = conversation.map {
                #"[{"key":"gen_ai.conversation.id","value":{"stringValue":"\#($0)"}}]"#
            }
            return #"{"traceId":"\#(String(repeating: trace, count: 32))","spanId":"\#(id.digits(16, radix: 16))","#
                + #""name":"n","startTimeUnixNano":"START","attributes":\#(attributes ?? "[]")}"#
        }
        let requests = [
            [span(1, "a", "c1"), span(2, "a")], [span(3, "b", "c2"), span(4, "b")],
            [span(5, "a"), span(6, "d", "c1"), span(7, "a", "c2")],
        ]
        for (number, spans) in zip((1 as UInt64)..., requests) {
            let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
            try await archive.exporter.export(
                FrozenBatch(records: [try SampleBatch.record(json: json, sequence: number)]))
            await archive.exporter.settle()
        }
        let found = try await find("c1", directory)
        #expect(found.traces.map(\.text).map { String($0.prefix(1)) }.sorted() == ["a", "d"])
        #expect(found.parts.map(\.spans.spans) == [2, 2] && found.parts.map(\.spans.sequences) == [1...1, 3...3])
        #expect(found.parts.map(\.manifest) == [try archive.manifests[0], try archive.manifests[2]])
        let later = Timestamp(nanoseconds: now.nanoseconds + 2 * Day.nanoseconds)
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        #expect(try ArchiveContents.compact(directory.path, rules, nil, at: later).merged == 3)
        let merged = try await find("c1", directory)
        #expect(merged.parts.map(\.spans.spans) == [4] && merged.parts[0].spans.runs == [1...1, 3...3])
        let none = try await find("c3", directory)
        #expect(none.parts.isEmpty && none.traces.isEmpty && none.left.isEmpty)
        try checkText(of: merged, directory)
    }

    private func checkText(of found: ArchiveConversation, _ directory: TemporaryDirectory) throws {
        let text = found.text(at: now)
        let tree = try #require(text.withUnsafeBytes { JSONTreeReader.value($0) })
        #expect(tree["conversation"]?.asText == "c1" && tree["spans"]?.asInt == 4)
        let file = try #require(tree["files"]?.elements.first)
        let path = try #require(file["path"]?.asText)
        #expect(file["sha256"]?.asText == ArchiveManifest.hash(try directory.contents(of: path)))
        let manifest = try directory.contents(of: try #require(file["manifest"]?.asText))
        #expect(file["manifest_sha256"]?.asText == ArchiveManifest.hash(manifest))
        // The hash is that of the list as it stands there.
        let line = String(decoding: text, as: UTF8.self)
        let begin = try #require(line.range(of: #""files":"#)).upperBound
        let end = try #require(line.range(of: #","files_sha256":"#)).lowerBound
        #expect(tree["files_sha256"]?.asText == ArchiveManifest.hash(Array(line[begin..<end].utf8)))
    }

    /// A document that lacks a file without a word would be worth nothing.
    @Test func whatCannotBeReadIsNamed() async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: otlp_json", in: directory)
        for number in 1...3 as ClosedRange<UInt64> {
            let json =
                #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\#(String(repeating: "a", count: 32))","#
                + #""spanId":"\#(number.digits(16, radix: 16))","name":"n","startTimeUnixNano":"START","attributes":"#
                + #"[{"key":"gen_ai.conversation.id","value":{"stringValue":"c1"}}]}]}]}]}"#
            try await archive.exporter.export(
                FrozenBatch(records: [try SampleBatch.record(json: json, sequence: number)]))
            await archive.exporter.settle()
        }
        let manifests = try archive.manifests
        let file = try #require(manifests[1].files.first?.path)
        for path in [manifests[0].manifestPath, file] {
            try FileManager.default.removeItem(atPath: "\(directory.path)/\(path)")
            try Data("?".utf8).write(to: URL(fileURLWithPath: "\(directory.path)/\(path)"))
        }
        let found = try await find("c1", directory)
        #expect(found.parts.map(\.manifest) == [manifests[2]])
        #expect(Set(found.left.map(\.path)) == [manifests[0].manifestPath, file])
    }

    /// With the register's key the filters say which files have it.
    @Test(arguments: ArchiveFormat.allCases)
    func opensNoFileThatDoesNotNameIt(format: ArchiveFormat) async throws {
        let (directory, registered) = (try TemporaryDirectory(), try TemporaryDirectory())
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory, erasures: registered.path)
        for number in 1...5 as ClosedRange<UInt64> {
            let span = ErasureSample.span(
                number, trace: "\(number)", more: #","gen_ai.conversation.id":"c\#(number)""#)
            try await archive.export(FrozenBatch(records: [try ErasureSample.record(number, resource: "", [span])]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        for manifest in try archive.manifests where manifest.number != 3 {
            for file in manifest.files {
                try Data("?".utf8).write(to: URL(fileURLWithPath: "\(directory.path)/\(file.path)"))
            }
        }
        let found = try await find("c3", directory, try ErasureRegister(registered.path))
        #expect(found.parts.map(\.manifest.number) == [3] && found.left.isEmpty)
        #expect(try await find("c3", directory).left.count == 4)
    }

    private func find(
        _ id: String, _ directory: TemporaryDirectory, _ register: ErasureRegister? = nil
    ) async throws -> ArchiveConversation {
        let catalog = ArchiveCatalog(
            root: directory.path, selection: ArchiveCatalog.Selection(tenant: "default"))
        return try await ArchiveConversation(
            id, of: "default", names: [Array(id.utf8)], in: catalog, register, at: now)
    }
}

import Logging
import Testing

@testable import Weir

/// An archive in a directory of its own, and what readers find in it.
struct ArchiveSample {
    let directory: TemporaryDirectory
    let clock = TestClock()
    let log = LogCapture()
    let metrics = MetricRegistry()
    let exporter: ArchiveExporter
    private let configuration: ArchiveConfiguration

    /// - Parameters:
    ///   - keys: of the exporter, but `directory`.
    ///   - path: of the archive, if it is not `directory` itself.
    init(
        _ keys: String..., in directory: TemporaryDirectory? = nil, path: String? = nil, run: UInt32 = 0xABCD
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        configuration = try #require(
            read(ArchiveConfiguration.self, (["directory: \(path ?? directory.path)"] + keys).joined(separator: "\n")))
        let context = Context(id: ComponentID(type: "archive"), logger: log.logger, metrics: metrics)
        exporter = try ArchiveExporter(configuration, context, run: run, clock: { [clock] in clock.now })
    }

    /// Files that readers see.
    var published: [String] { directory.files().filter { !$0.hasPrefix(".open/") } }
    var open: [String] { directory.files().filter { $0.hasPrefix(".open/") } }

    /// What is in a file, decompressed.
    func contents(of file: String) throws -> [UInt8] {
        let encoding: ContentEncoding =
            switch configuration.compression {
            case .none: .identity
            case .gzip: .gzip
            case .zstd: .zstd
            }
        var inflater = try Inflater()
        let bytes = try directory.contents(of: file)
        let payload = try bytes.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: 1 << 30) }
        return withExtendedLifetime(payload) { Array($0.bytes) }
    }

    /// The messages in a file, without their framing.
    func messages(in file: String) throws -> [[UInt8]] {
        var rest = try contents(of: file)[...]
        if configuration.format == .json {
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

    /// The ids of all spans in these protobuf files, sorted; one that is there twice stands twice.
    func spanIDs(in files: [String]) throws -> [UInt64] {
        try files.flatMap { try messages(in: $0) }.flatMap { message in
            try SampleBatch.decode(message) { batch in batch.spans.map(\.spanID) }
        }.sorted()
    }
}

extension SampleBatch {
    static func decode<Value>(_ message: [UInt8], _ body: (borrowing Batch) throws -> Value) throws -> Value {
        var batch = Batch()
        try OTLPDecoder().decode(message.withUnsafeBytes { Payload.copying($0) }, into: &batch)
        return try body(batch)
    }
}

/// Reads the keys of a component; nil, and a failure of the test, where there is a problem with them.
func read<Keys: Configurable>(_ type: Keys.Type, _ yaml: String) -> Keys? {
    var reader = YAMLReader(file: "f", environment: [:])
    let root = reader.read(yaml)
    var top = Fields([], file: "f")
    let (keys, _) = top.descend(into: root, path: "") { $0.read(type) }
    let problems = (reader.diagnostics.entries + top.diagnostics.entries).map(\.description)
    #expect(problems == [])
    return problems.isEmpty ? keys : nil
}

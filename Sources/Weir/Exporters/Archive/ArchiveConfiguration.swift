/// What the messages in the files are.
enum ArchiveFormat: String, CaseIterable, Sendable {
    /// One JSON object per line, `{"resourceSpans":[…]}`.
    case json = "otlp_json"
    /// OTLP protobuf, TracesData, each with its length in front: four bytes, the highest first.
    case proto = "otlp_proto"

    /// What a file's name ends in, before the compression's suffix.
    var suffix: String {
        switch self {
        case .json: ".jsonl"
        case .proto: ".otlp"
        }
    }
}

/// The keys of `archive`.
struct ArchiveConfiguration: Configurable {
    /// Where the partitions are; created where it is missing.
    let directory: String
    let format: ArchiveFormat
    let compression: Compression
    /// `max_file_age`, `max_file_size` without the footer, and `max_open_files`.
    let limits: ArchiveRotation.Limits

    init(_ fields: inout Fields) throws(ConfigError) {
        directory = fields.string("directory", "Where the partitions are; created where it is missing.")
        format = fields.choice("format", default: .json, "What the messages in the files are.")
        compression = fields.choice("compression", default: .zstd, "How the files are compressed.")
        let age = fields.duration(
            "max_file_age", default: .seconds(60), in: .seconds(1)...(.seconds(86_400)),
            "A file is published when it is that old, counted from its first byte.")
        let size = fields.bytes(
            "max_file_size", default: .mebibytes(128), in: .kibibytes(4)...(.gibibytes(64)),
            "A file is published before it would get larger; counted as written, compressed.")
        let files = fields.int(
            "max_open_files", default: 64, in: 1...4_096,
            "One more, and the file that was not written for longest is published.")
        limits = ArchiveRotation.Limits(
            age: age, size: size.bytes - ArchiveFooter.maximumLength, files: files)
    }
}

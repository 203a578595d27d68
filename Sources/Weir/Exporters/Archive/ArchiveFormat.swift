/// What the files of an archive hold.
enum ArchiveFormat: String, CaseIterable, Sendable {
    /// One JSON object per line, `{"resourceSpans":[…]}`.
    case json = "otlp_json"
    /// OTLP protobuf, TracesData, each with its length in front: four bytes, the highest first.
    case proto = "otlp_proto"
    /// Parquet, one row per span, and beside it what calls of models used.
    case parquet

    /// What a file's name ends in.
    func suffix(_ compression: Compression, isSealed: Bool = false) -> String {
        let plain =
            switch self {
            case .json: ".jsonl" + compression.suffix
            case .proto: ".otlp" + compression.suffix
            case .parquet: ".parquet"
            }
        return isSealed ? plain + ArchiveKeys.suffix : plain
    }

    /// The directory of the archive in which the partitions are, with a slash; those of Parquet's other rows are in
    /// others, since a reader wants the same columns in all files.
    var tree: String { self == .parquet ? "\(ArchiveDataset.spans.rawValue)/" : "" }
}

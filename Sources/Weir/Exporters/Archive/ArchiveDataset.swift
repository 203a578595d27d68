/// What the rows of a Parquet file are.
enum ArchiveDataset: String, CaseIterable, Sendable {
    case spans
    case usage = "llm_usage"

    var columns: [ParquetColumn] {
        switch self {
        case .spans: ParquetRows.spanColumns
        case .usage: ParquetRows.usageColumns
        }
    }
}

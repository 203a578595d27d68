/// What the rows of a Parquet file are.
enum ArchiveDataset: String, CaseIterable, Sendable {
    case spans
    case usage = "llm_usage"
    case events = "telemetry_events"

    var columns: [ParquetColumn] {
        switch self {
        case .spans: ParquetRows.spanColumns
        case .usage: ParquetRows.usageColumns
        case .events: ParquetRows.eventColumns
        }
    }

    /// The column that has the span's id.
    var spanColumn: String { self == .events ? "event_id" : "span_id" }
}

/// What the rows of a Parquet file are.
enum ArchiveDataset: String, CaseIterable, Sendable {
    case spans
    case usage = "llm_usage"
    case events = "telemetry_events"
    case rollups = "span_rollup_daily"

    var columns: [ParquetColumn] {
        switch self {
        case .spans: ParquetRows.spanColumns
        case .usage: ParquetRows.usageColumns
        case .events: ParquetRows.eventColumns
        case .rollups: DailyRollups.columns
        }
    }

    /// The column that has the span's id; nil where rows are of many spans.
    var spanColumn: String? {
        switch self {
        case .spans, .usage: "span_id"
        case .events: "event_id"
        case .rollups: nil
        }
    }
}

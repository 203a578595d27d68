/// Accepts the configuration of the OpenTelemetry Collector's `batch`, and does nothing.
struct BatchProcessor: Processor {
    struct Configuration: Configurable {
        init(_ fields: inout Fields) throws(ConfigError) {
            let sizes = 0...Int(UInt32.max)
            _ = fields.duration(
                "timeout", default: .milliseconds(200), in: .zero ... .seconds(86_400), "Has no effect.")
            _ = fields.int("send_batch_size", default: 8192, in: sizes, "Spans; has no effect.")
            _ = fields.int("send_batch_max_size", default: 0, in: sizes, "Spans; has no effect.")
            _ = fields.strings("metadata_keys", default: [], count: 0...256, "Has no effect.")
            _ = fields.int("metadata_cardinality_limit", default: 1000, in: sizes, "Has no effect.")
        }
    }

    static let type = "batch"
    static let help = "Accepted and does nothing; delivery batches for every exporter."
    static let note: String? = "accepted and does nothing; delivery batches for every exporter"

    init(_ configuration: Configuration, _ context: Context) {}

    mutating func process(_ batch: inout Batch) {}
}

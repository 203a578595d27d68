/// The section `sending_queue` of an exporter.
struct SendingQueueConfiguration: Sendable {
    /// Batches that may be under way side by side.
    let consumers: Int
    /// How long a record waits for others to be sent with.
    let flushTimeout: Duration
    /// A batch is sent once it has so many spans, and has more only where a single record does.
    let maxSpans: Int
    /// Likewise, in bytes of OTLP protobuf.
    let maxBytes: Int

    init(_ fields: inout Fields, defaults: DeliveryDefaults) {
        consumers = fields.int(
            "num_consumers", default: defaults.consumers, in: 1...defaults.maxConsumers,
            "Batches that are sent side by side; with more than one, spans may arrive out of order.")
        (flushTimeout, maxSpans, maxBytes) = fields.section("batch", "What is sent together.") { fields in
            for key in ["min_size", "max_size", "sizer"] { fields.ignore(key, "max_spans and max_bytes say it") }
            return (
                fields.duration(
                    "flush_timeout", default: .milliseconds(200), in: .zero ... .seconds(60),
                    "How long spans wait for others to be sent with."),
                fields.int("max_spans", default: defaults.maxSpans, in: 1...1_000_000, "The spans of one batch."),
                fields.bytes(
                    "max_bytes", default: defaults.maxBytes, in: .kibibytes(1) ... .mebibytes(64),
                    "The bytes of one batch, as OTLP protobuf."
                ).bytes
            )
        }
        for key in ["enabled", "queue_size", "storage", "block_on_overflow", "wait_for_result", "sizer"] {
            fields.ignore(key, "the journal is the queue")
        }
    }
}

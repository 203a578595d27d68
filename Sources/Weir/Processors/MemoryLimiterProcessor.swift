/// Accepts the configuration of the OpenTelemetry Collector's `memory_limiter`, and does nothing.
struct MemoryLimiterProcessor: Processor {
    struct Configuration: Configurable {
        init(_ fields: inout Fields) throws(ConfigError) {
            let times = Duration.zero ... .seconds(86_400)
            let sizes = 0...Int(UInt32.max)
            _ = fields.duration("check_interval", default: .zero, in: times, "Has no effect.")
            _ = fields.duration("min_gc_interval_when_soft_limited", default: .seconds(10), in: times, "Has no effect.")
            _ = fields.duration("min_gc_interval_when_hard_limited", default: .zero, in: times, "Has no effect.")
            _ = fields.int("limit_mib", default: 0, in: sizes, "MiB; has no effect.")
            _ = fields.int("spike_limit_mib", default: 0, in: sizes, "MiB; has no effect.")
            _ = fields.int("limit_percentage", default: 0, in: 0...100, "Has no effect.")
            _ = fields.int("spike_limit_percentage", default: 0, in: 0...100, "Has no effect.")
        }
    }

    static let type = "memory_limiter"
    static let help = "Accepted and does nothing; the receiver's max_in_flight_bytes limits memory."
    static let note: String? =
        "accepted and does nothing; the receiver's max_in_flight_bytes limits memory"

    init(_ configuration: Configuration, _ context: Context) {}

    mutating func process(_ batch: inout Batch) {}
}

/// The section `service.telemetry`.
struct TelemetryConfiguration: Sendable {
    /// The OpenTelemetry Collector's levels; Weir knows only whether there are metrics.
    enum MetricsLevel: String, Sendable, CaseIterable {
        case none, basic, normal, detailed
    }

    enum LogLevel: String, Sendable, CaseIterable {
        case debug, info, warn, error
    }

    /// How a log line is written.
    enum LogEncoding: String, Sendable, CaseIterable {
        /// `time=… level=info label=… message="…" key=value`
        case logfmt
        /// One JSON object with the same names.
        case json
    }

    /// Where metrics and health are served; nil where they are not.
    let metrics: ListenerConfiguration?
    /// The least severe lines that are written.
    let logLevel: LogLevel
    let logEncoding: LogEncoding

    init(_ fields: inout Fields) {
        metrics = fields.section("metrics", "Weir's own metrics, in the Prometheus text format.") { fields in
            let listener = ListenerConfiguration(
                &fields, default: Endpoint(host: "127.0.0.1", port: 8888),
                "Where /metrics, /healthz and /readyz are served.")
            let level = fields.choice(
                "level", default: MetricsLevel.normal, "none serves nothing; the other levels are the same.")
            return level == .none ? nil : listener
        }
        (logLevel, logEncoding) = fields.section("logs", "What Weir writes to standard error.") { fields in
            let level = fields.choice("level", default: LogLevel.info, "The least severe lines that are written.")
            let encoding = fields.choice("encoding", default: LogEncoding.logfmt, "How a line is written.")
            return (level, encoding)
        }
    }
}

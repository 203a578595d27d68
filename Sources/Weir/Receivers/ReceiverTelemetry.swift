import Logging
import NIOCore

/// What a receiver counts. Names as in the OpenTelemetry Collector.
struct ReceiverTelemetry: Sendable {
    /// Spans that every pipeline has taken.
    let accepted: Counter
    /// Spans that a pipeline had no room for. The client still has them.
    let refused: Counter
    /// Requests that every pipeline had taken before.
    let duplicates: Counter
    /// Spans rejected alone out of a request, by reason.
    let rejected: [SpanDefect: Counter]
    private let requests: [Int: Counter]
    private let otherRequests: Counter
    private let latency: Histogram
    private let logger: Logger

    /// - Parameters:
    ///   - statusLabel: how metrics name a status.
    ///   - statuses: those that are counted by themselves.
    init(
        _ context: Context, transport: String, statusLabel: String = "http_status",
        statuses: [Int] = [200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 429, 431, 503]
    ) {
        logger = context.logger
        let labels = ["receiver": context.id.description, "transport": transport]
        accepted = context.metrics.counter(
            "otelcol_receiver_accepted_spans", help: "Spans that every pipeline has taken.", labels: labels)
        refused = context.metrics.counter(
            "otelcol_receiver_refused_spans", help: "Spans that a pipeline had no room for.", labels: labels)
        duplicates = context.metrics.counter(
            "weir_receiver_duplicate_requests",
            help: "Requests that a client sent again within dedupe_window; they got the first answer.", labels: labels)
        rejected = Dictionary(
            uniqueKeysWithValues: SpanDefect.allCases.map { defect in
                let labels = labels.merging(["reason": defect.rawValue]) { $1 }
                return (
                    defect,
                    context.metrics.counter(
                        "weir_receiver_rejected_spans", help: "Spans rejected alone, as partial_success says.",
                        labels: labels)
                )
            })
        let count = { (code: String) in
            context.metrics.counter(
                "otelcol_receiver_requests", help: "Requests answered, by status.",
                labels: labels.merging([statusLabel: code]) { $1 })
        }
        requests = Dictionary(uniqueKeysWithValues: statuses.map { ($0, count("\($0)")) })
        otherRequests = count("other")
        latency = context.metrics.histogram(
            "weir_receiver_request_duration_seconds", help: "From a request's head to its acknowledgement.",
            labels: labels, bounds: Histogram.latency)
    }

    /// - Parameter server: nil while there is none.
    static func observe(_ context: Context, transport: String, _ server: @escaping @Sendable () -> HTTPServer?) {
        let labels = ["receiver": context.id.description, "transport": transport]
        context.metrics.observe(
            "weir_receiver_in_flight_bytes", kind: .gauge, help: "Bytes of requests that are being read or worked on.",
            labels: labels
        ) { server().map { Double($0.budget.inUse) } }
        context.metrics.observe(
            "weir_receiver_open_connections", kind: .gauge, help: "Connections that are open, those being refused too.",
            labels: labels
        ) { server().map { Double($0.openConnections) } }
    }

    func answered(_ status: Int, startedAt: NIODeadline? = nil) {
        (requests[status] ?? otherRequests).add()
        guard let startedAt else { return }
        latency.observe(Double((NIODeadline.now() - startedAt).nanoseconds) * 1e-9)
    }

    func count(_ rejections: Rejections) {
        guard rejections.count > 0 else { return }
        logger.warning("rejected spans", metadata: ["spans": "\(rejections.count)", "reason": "\(rejections.message)"])
        for (defect, count) in rejections.byDefect { rejected[defect]?.add(count) }
    }
}

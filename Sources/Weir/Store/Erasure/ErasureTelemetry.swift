/// Counts what is dropped because its subject was erased.
struct ErasureTelemetry: Sendable {
    private let metrics: MetricRegistry

    init(_ metrics: MetricRegistry) {
        self.metrics = metrics
    }

    func add(_ spans: Int, tenant: String) {
        guard spans > 0 else { return }
        metrics.counter(
            "weir_erasure_dropped_spans", help: "Spans that were not stored, because their subject was erased.",
            labels: ["tenant": tenant]
        ).add(spans)
    }
}

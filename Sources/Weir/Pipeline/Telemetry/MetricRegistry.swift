import Synchronization

/// All of Weir's own metrics.
///
/// Names follow the OpenTelemetry Collector where the meaning is the same, as its default reader prints them: without
/// `_total`. Asking twice for the same name and labels gives the same instance, so whoever counts asks once, at the
/// start, and keeps it.
///
/// At most `maxSeries` combinations of name and labels are kept. What comes later shares, for each name, one series
/// labelled `otel_metric_overflow="true"`, as OpenTelemetry's SDKs do it, and is counted in
/// `weir_metric_series_overflowed`.
final class MetricRegistry: Sendable {
    typealias Labels = [String: String]

    /// Unicode scalars of a label's value; the rest is cut off.
    static let maxLabelValue = 256

    private static let overflowLabels = #"otel_metric_overflow="true""#

    private struct State {
        var families: [String: MetricFamily] = [:]
        var seriesCount = 0
    }

    private let maxSeries: Int
    private let state = Mutex(State())
    private let overflowed: Counter

    init(maxSeries: Int = 10_000) {
        self.maxSeries = maxSeries
        let overflowed = Counter()
        self.overflowed = overflowed
        observe(
            "weir_metric_series_overflowed", kind: .counter,
            help: "Requests for a new metric series that got the overflow series because there were too many."
        ) { Double(overflowed.value) }
    }

    func counter(_ name: String, help: String, labels: Labels = [:]) -> Counter {
        let series = series(name, .counter, help, labels) { .counter(Counter()) }
        guard case .counter(let counter) = series else { preconditionFailure("\(name) is read by a callback") }
        return counter
    }

    func gauge(_ name: String, help: String, labels: Labels = [:]) -> Gauge {
        let series = series(name, .gauge, help, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = series else { preconditionFailure("\(name) is read by a callback") }
        return gauge
    }

    /// - Parameter bounds: as ``Histogram/init(bounds:)`` wants them; those of the first request for the series count.
    func histogram(_ name: String, help: String, labels: Labels = [:], bounds: [Double]) -> Histogram {
        let series = series(name, .histogram, help, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = series else { preconditionFailure("\(name) is no histogram") }
        return histogram
    }

    /// A counter or gauge whose value is asked for when the metrics are read. The registry keeps `read`, and what it
    /// captures, until another one is given for the same name and labels.
    ///
    /// - Parameter read: nil leaves the series out. It runs outside the registry's lock.
    func observe(
        _ name: String, kind: MetricKind, help: String, labels: Labels = [:], read: @escaping @Sendable () -> Double?
    ) {
        precondition(kind != .histogram, "a histogram is not a single value")
        let text = PrometheusText.labels(labels)
        state.withLock { state in
            guard claim(name, text, in: &state) else { return }
            state.families[name, default: MetricFamily(name, kind, help)].replace(text, .callback(read), kind)
        }
    }

    /// Forgets a series, and makes room for another. Whoever has it still changes a number that nobody reads.
    func remove(_ name: String, labels: Labels) {
        let text = PrometheusText.labels(labels)
        state.withLock { state in
            if state.families[name]?.remove(text) == true { state.seriesCount -= 1 }
        }
    }

    /// Everything in the Prometheus text format 0.0.4, sorted by name and labels.
    func render() -> String {
        let families = state.withLock { $0.families }
        var text = PrometheusText()
        for name in families.keys.sorted() {
            if let family = families[name] { text.append(family) }
        }
        return text.text
    }
}

extension MetricRegistry {
    private func series(
        _ name: String, _ kind: MetricKind, _ help: String, _ labels: Labels, make: () -> MetricFamily.Series
    ) -> MetricFamily.Series {
        let text = PrometheusText.labels(labels)
        return state.withLock { state in
            let text = claim(name, text, in: &state) ? text : Self.overflowLabels
            return state.families[name, default: MetricFamily(name, kind, help)].find(text, kind, make: make)
        }
    }

    /// Whether the series exists or there is room for it.
    private func claim(_ name: String, _ labels: String, in state: inout State) -> Bool {
        if state.families[name]?.series[labels] != nil { return true }
        guard state.seriesCount < maxSeries else {
            overflowed.add()
            return false
        }
        state.seriesCount += 1
        return true
    }
}

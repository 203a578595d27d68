/// All series of one metric.
struct MetricFamily: Sendable {
    enum Series: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case callback(@Sendable () -> Double?)
    }

    let name: String
    let kind: MetricKind
    let help: String
    /// By their labels as ``PrometheusText/labels(_:)`` writes them.
    private(set) var series: [String: Series] = [:]

    init(_ name: String, _ kind: MetricKind, _ help: String) {
        precondition(PrometheusText.isName(name), "\"\(name)\" is not the name of a metric")
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// The series with these labels; a new one if there is none.
    mutating func find(_ labels: String, _ kind: MetricKind, make: () -> Series) -> Series {
        precondition(kind == self.kind, "\(name) is a \(self.kind), not a \(kind)")
        if let known = series[labels] { return known }
        let new = make()
        series[labels] = new
        return new
    }

    /// - Returns: whether there was one.
    mutating func remove(_ labels: String) -> Bool { series.removeValue(forKey: labels) != nil }

    /// Puts a series in place of the one with these labels.
    mutating func replace(_ labels: String, _ new: Series, _ kind: MetricKind) {
        precondition(kind == self.kind, "\(name) is a \(self.kind), not a \(kind)")
        series[labels] = new
    }
}

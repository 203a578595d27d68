/// What the Prometheus text format calls a metric's type.
enum MetricKind: String, Sendable {
    case counter, gauge, histogram
}

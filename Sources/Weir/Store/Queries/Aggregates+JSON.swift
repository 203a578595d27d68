extension ServiceSummary: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("service", service)
        line.add("spans", spans)
        line.add("errors", errors)
        line.add("last_seen", lastSeen)
    }
}

extension OperationSummary: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("service", key.service)
        line.add("name", key.name)
        line.add("kind", FoundSpan.name(ofKind: key.kind))
        line.add("operation", OperationKind.name(of: key.operation))
        line.add("spans", spans)
        line.add("errors", errors)
        line.add("last_seen", lastSeen)
    }
}

extension OperationLatency: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("start_time", key.start)
        line.add("service", key.service)
        line.add("name", key.name)
        line.add("spans", spans)
        line.add("errors", errors)
        line.add("error_rate", errorRate)
        line.add("mean_ns", mean)
        line.add("p50_ns", quantile(0.5))
        line.add("p95_ns", quantile(0.95))
        line.add("p99_ns", quantile(0.99))
    }
}

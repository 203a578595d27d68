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

extension UsageSummary: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("start_time", key.start)
        switch key.dimension {
        case .tenant: line.add("tenant", key.who)
        case .user: line.add("user_id", key.who)
        case .model: line.add("model", key.who)
        case .agent: line.add("agent", key.who)
        }
        line.add("calls", calls)
        line.add("errors", errors)
        line.add("input_tokens", inputTokens)
        line.add("output_tokens", outputTokens)
        line.add("cache_read_tokens", cacheReadTokens)
        line.add("cache_write_tokens", cacheWriteTokens)
        line.add("reasoning_tokens", reasoningTokens)
        // In quotes, because a number with twelve decimals is not what most readers of JSON would keep.
        line.add("total_cost", cost)
        line.add("unpriced", unpricedCalls)
    }
}

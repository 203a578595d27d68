extension HotRows {
    /// What these spans, given by their indices in ascending order, add to the rollups.
    func rollups(of indices: some Sequence<Int>) -> [RollupRow.Key: RollupRow] {
        var rollups = Rollups()
        var call = 0
        for index in indices where !promoted.contains(index) {
            while call < usage.count, usage[call].span < index { call += 1 }
            let usage = call < usage.count && usage[call].span == index ? usage[call] : nil
            let span = spans[index]
            let key = Rollups.Key(
                minute: span.clampedStart / 60_000_000, tenantID: span.tenantID, operation: span.operation,
                kind: span.kind, service: .init(bytes(span.service)), name: .init(bytes(span.name)),
                model: .init(usage.flatMap { bytes($0.model) }))
            rollups.add(
                key, duration: span.duration, isError: span.status == 2,
                usage.map {
                    Rollups.Call(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens, cost: $0.totalCost)
                })
        }
        return rollups.owned
    }
}

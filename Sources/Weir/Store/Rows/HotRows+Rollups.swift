extension HotRows {
    /// What these spans, given by their indices in ascending order, add to the rollups. Those that sampling left out
    /// are in rollups of their own.
    func rollups(of indices: some Sequence<Int>) -> [RollupRow.Key: RollupRow] {
        var rollups = Rollups()
        add(indices, to: &rollups)
        return rollups.owned
    }

    /// The same, to rollups that have texts of these rows.
    /// - Parameter minutes: of one rollup.
    func add(_ indices: some Sequence<Int>, to rollups: inout Rollups, per minutes: Int64 = 1) {
        var call = 0
        var service: (ref: TextRef, text: Rollups.Key.Text)?
        for index in indices where !promoted.contains(index) {
            while call < usage.count, usage[call].span < index { call += 1 }
            let usage = call < usage.count && usage[call].span == index ? usage[call] : nil
            let span = spans[index]
            if span.isSampledOut { continue }
            // Archives have texts whole. These are copied for each key, and one service may have thousands.
            if service?.ref != span.service {
                service = (span.service, .init(bytes(span.service)?.cut(to: RowText.maxID)))
            }
            let key = Rollups.Key(
                minute: span.clampedStart / (60_000_000 * minutes) * minutes, tenantID: span.tenantID,
                operation: span.operation, kind: span.kind, service: service?.text ?? .init(nil),
                name: .init(bytes(span.name)?.cut(to: RowText.maxName)),
                model: .init(usage.flatMap { bytes($0.model) }?.cut(to: RowText.maxID)))
            rollups.add(
                key, duration: span.duration, isError: span.status == 2,
                usage.map {
                    Rollups.Call(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens, cost: $0.totalCost)
                })
        }
    }

    /// Adds the rollups alone that stand in such a section.
    mutating func addRollups(
        in content: UnsafeRawBufferPointer, of sequence: UInt64, _ tenantID: Int32, _ window: ClockWindow
    ) throws {
        try SampledOut.forEachRollup(in: content) { key, rollup in
            add(rollup, key, of: sequence, tenantID, window)
        }
    }

    /// What the spans that were left out of these records add to the rollups.
    func rollups(
        sampledOutOf isIncluded: (UInt64) -> Bool, on isDay: (Day) -> Bool = { _ in true }
    ) -> [RollupRow.Key: RollupRow] {
        var rollups: [RollupRow.Key: RollupRow] = [:]
        for row in sampledOut where isDay(row.day) && isIncluded(row.sequence) {
            rollups[row.key, default: RollupRow()].merge(row.rollup)
        }
        return rollups
    }

    private mutating func add(
        _ rollup: RollupRow, _ key: Rollups.Key, of sequence: UInt64, _ tenantID: Int32, _ window: ClockWindow
    ) {
        let (start, overflow) = UInt64(key.minute).multipliedReportingOverflow(by: 60_000_000_000)
        let key = RollupRow.Key(
            minute: Int64(window.clamp(overflow ? .max : start) / 60_000_000_000), tenantID: tenantID,
            operation: key.operation, kind: key.kind, service: service(key.service.bytes),
            name: string(key.name.bytes, limit: RowText.maxName), model: string(key.model.bytes, limit: RowText.maxID))
        appendSampledOut(SampledOutRow(sequence: sequence, key: key, rollup: rollup))
    }
}

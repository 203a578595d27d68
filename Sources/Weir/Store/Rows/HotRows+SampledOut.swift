extension HotRows {
    /// Adds what a record's section says of the spans that sampling left out of it: usage of their calls, and rollups.
    mutating func addSampledOut(of record: JournalRecord, tenantID: Int32) throws {
        guard let content = record.section.value(of: .sampledOut) else { return }
        let window = ClockWindow(receivedAt: record.receivedAt)
        var calls = Batch(decodedLimit: .max)
        guard try record.decodeSampledOut(into: &calls) else { return }
        add(calls, of: record, tenantID)
        try content.withUnsafeBytes { content in
            try SampledOut.forEachRollup(in: content) { key, rollup in
                add(rollup, key, of: record.sequence, tenantID, window)
            }
        }
    }

    /// What the spans that were left out of these records add to the rollups.
    /// - Parameter day: nil is every day.
    func rollups(sampledOutOf isIncluded: (UInt64) -> Bool, on day: Day? = nil) -> [RollupRow.Key: RollupRow] {
        var rollups: [RollupRow.Key: RollupRow] = [:]
        for row in sampledOut where day.map({ $0 == row.day }) ?? true && isIncluded(row.sequence) {
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

extension JournalRecord {
    /// Reads the calls of models among the spans that sampling left out, as spans.
    /// - Returns: whether there are spans that were left out.
    func decodeSampledOut(into batch: inout Batch) throws -> Bool {
        guard let content = section.value(of: .sampledOut) else { return false }
        let payload = content.withUnsafeBytes { Payload.copying($0) }
        try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
        batch.tenant = tenant
        batch.receivedAt = receivedAt
        return true
    }
}

extension HotRows {
    /// Adds what a record's section says of the spans that sampling left out of it: usage of their calls, and rollups.
    mutating func addSampledOut(of record: JournalRecord, tenantID: Int32) throws {
        guard let content = record.section.value(of: .sampledOut) else { return }
        let window = ClockWindow(receivedAt: record.receivedAt)
        var calls = Batch(decodedLimit: .max)
        guard try record.decodeSampledOut(into: &calls) else { return }
        add(calls, of: record, tenantID)
        try content.withUnsafeBytes { try addRollups(in: $0, of: record.sequence, tenantID, window) }
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

/// Takes spans of erased subjects out of records.
struct RecordErasure: ~Copyable {
    private var batch = Batch(decodedLimit: .max)
    private var encoder = OTLPEncoder()

    /// - Parameter traces: to which those are added that subjects have spans in.
    /// - Returns: what is left of the record; nil where nothing had to go.
    mutating func erase(
        _ record: JournalRecord, _ matcher: SubjectMatcher, _ traces: inout Set<TraceID>
    ) throws -> JournalRecord? {
        defer { batch.reset(to: .empty) }
        try OTLPDecoder(maxValueDepth: .max).decode(record.payload, into: &batch)
        let count = matcher.erase(in: &batch, &traces)
        let section = try erase(record.section, matcher, &traces)
        guard count > 0 || section != nil else { return nil }
        var spanCount = record.spanCount
        var payload = record.payload
        if count > 0 {
            guard let encoded = encoder.encode(batch) else {
                throw DecodeError.malformed("a record that is too large", offset: 0)
            }
            (payload, spanCount) = (encoded, batch.spanCount)
        }
        var left = JournalRecord(
            sequence: record.sequence, tenant: record.tenant, receivedAt: record.receivedAt, spanCount: spanCount,
            payload: payload, section: section ?? record.section)
        left.codec = record.codec
        return left
    }

    /// The calls of spans that sampling left out.
    private mutating func erase(
        _ section: RecordSection, _ matcher: SubjectMatcher, _ traces: inout Set<TraceID>
    ) throws -> RecordSection? {
        guard let content = section.value(of: .sampledOut) else { return nil }
        let payload = content.withUnsafeBytes { Payload.copying($0) }
        try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
        guard matcher.erase(in: &batch, &traces) > 0, let calls = encoder.encode(batch) else { return nil }
        // What the decoder does not know of the content are its rollups, in which nobody is named.
        var bytes = withExtendedLifetime(calls) { Array($0.bytes) }
        try content.withUnsafeBytes { try SampledOut.copyRollups(in: $0, to: &bytes) }
        return section.replacing(.sampledOut, with: bytes)
    }
}

/// Records that are exported together, or some spans of one record.
struct Piece: Sendable {
    /// In their order; never empty.
    let records: ArraySlice<JournalRecord>
    /// The places in the only record of those spans that are meant; nil for all.
    let spans: Range<Int>?

    init(_ records: ArraySlice<JournalRecord>, spans: Range<Int>? = nil) {
        precondition(!records.isEmpty && (spans == nil || records.count == 1), "a piece of nothing or of too much")
        self.records = records
        self.spans = spans
    }

    var spanCount: Int { spans?.count ?? records.reduce(0) { $0 + $1.spanCount } }

    /// Whether the last of its records is done with it; the parts of a record are taken in their order.
    var endsRecord: Bool { spans.map { $0.upperBound == records[records.startIndex].spanCount } ?? true }

    /// Two pieces that are this one together; nil if it cannot be smaller.
    func halves(splittingRecords: Bool) -> (first: Piece, second: Piece)? {
        if records.count > 1 {
            let middle = records.startIndex + records.count / 2
            return (Piece(records[..<middle]), Piece(records[middle...]))
        }
        let all = spans ?? 0..<records[records.startIndex].spanCount
        guard splittingRecords, all.count > 1 else { return nil }
        let middle = all.lowerBound + all.count / 2
        return (
            Piece(records, spans: all.lowerBound..<middle), Piece(records, spans: middle..<all.upperBound)
        )
    }

    /// The records with just these spans; nil where the one record that would have to be taken apart cannot be.
    func cut() -> [JournalRecord]? {
        guard let spans, let record = records.first, spans != 0..<record.spanCount else { return Array(records) }
        return record.keeping(spans).map { [$0] }
    }
}

extension JournalRecord {
    /// Whether the payload holds the spans that the record says.
    var hasItsSpans: Bool {
        var batch = Batch(decodedLimit: .max)
        guard (try? OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)) != nil else { return false }
        return batch.spanCount == spanCount
    }

    /// The same record with these spans only. What it says beside its spans goes with the first of its
    /// spans. Nil where its payload does not hold the spans that it says.
    fileprivate func keeping(_ spans: Range<Int>) -> JournalRecord? {
        var batch = Batch(decodedLimit: .max)
        let decoder = OTLPDecoder(maxValueDepth: .max)
        guard (try? decoder.decode(payload, into: &batch)) != nil, batch.spanCount == spanCount,
            batch.spans.count == spanCount
        else { return nil }
        for index in batch.spans.indices where !spans.contains(index) { batch.drop(span: index) }
        var encoder = OTLPEncoder()
        return encoder.encode(batch).map {
            JournalRecord(
                sequence: sequence, tenant: tenant, receivedAt: receivedAt, spanCount: spans.count, payload: $0,
                section: spans.lowerBound == 0 ? section : RecordSection())
        }
    }
}

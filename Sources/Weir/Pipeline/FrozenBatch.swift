/// What an exporter is handed: records of one journal, in their order. Shared between exporters and read only.
struct FrozenBatch: Sendable {
    /// With a record's sequence, the key under which a destination knows what it has.
    let journal: JournalID
    let records: [JournalRecord]
    /// The last sequence that the journal held when this process started; 0 if none. What is not above it may have been
    /// exported before, by a process that died before it could note so. The highest number there is where the records
    /// come from the dead letters or were parked.
    let recoveredThrough: UInt64

    var spanCount: Int { records.reduce(0) { $0 + $1.spanCount } }
    /// Bytes of OTLP protobuf.
    var byteCount: Int { records.reduce(0) { $0 + $1.payload.count } }

    /// Decodes one record after the other into `batch`, which is then free to be changed, and calls `body`.
    func forEach(into batch: inout Batch, _ body: (inout Batch, JournalRecord) throws -> Void) throws {
        try forEach(from: 0, into: &batch) { batch, record in
            try body(&batch, record)
            return true
        }
    }

    /// The same, from a record on, until `body` says that no more are wanted.
    func forEach(
        from first: Int, into batch: inout Batch, _ body: (inout Batch, JournalRecord) throws -> Bool
    ) throws {
        // What the last record took is not kept until the next batch comes: that could be hours.
        defer { batch.reset(to: .empty) }
        for record in records[first...] {
            // What stands in a journal was decoded, or written by the encoder, before.
            try OTLPDecoder(maxValueDepth: .max).decode(record.payload, into: &batch)
            batch.tenant = record.tenant
            batch.receivedAt = record.receivedAt
            batch.isPromoted = record.section.value(of: .promoted) != nil
            guard try body(&batch, record) else { return }
        }
    }
}

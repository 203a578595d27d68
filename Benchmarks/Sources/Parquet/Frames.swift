/// What an archive of OTLP costs before its compressor: from records as the journal has them to the messages that become
/// a frame.
struct Frames: ~Copyable {
    private var encoder = PartitionEncoder(.proto)
    private var batch = Batch(decodedLimit: .max)
    /// Of an hour in which the spans of make_bodies.py start.
    private static let received = Timestamp(nanoseconds: 1_790_001_000_000_000_000)

    /// - Returns: bytes that the compressor would get.
    mutating func encode(_ records: ArraySlice<Payload>) throws -> Int {
        defer { encoder.reset() }
        var frozen: [JournalRecord] = []
        for (sequence, payload) in zip(records.indices, records) {
            // The journal's reader copies them as well.
            frozen.append(
                JournalRecord(
                    sequence: UInt64(sequence) + 1, tenant: "default", receivedAt: Self.received, spanCount: 0,
                    payload: Payload.copying(payload.bytes)))
        }
        let all = FrozenBatch(journal: JournalID(value: 1), records: frozen, recoveredThrough: 0)
        try all.forEach(into: &batch) { decoded, record in
            try encoder.add(&decoded, record.sequence, record.section) { _ in 1 }
        }
        return encoder.messages.reduce(0) { $0 + $1.bytes.count }
    }
}

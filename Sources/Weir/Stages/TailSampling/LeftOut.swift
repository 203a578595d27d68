// When spans came that were left out: a record of the ring is of the time at which they were.
extension JournalEntry {
    /// The same for the ring.
    func leftOut(at now: Timestamp) -> JournalEntry {
        var section = section
        withUnsafeBytes(of: receivedAt.nanoseconds.littleEndian) { section.add(.received, $0) }
        return JournalEntry(
            tenant: tenant, receivedAt: now, spanCount: spanCount, payload: payload, section: section)
    }
}

extension JournalRecord {
    /// When its spans came.
    var cameAt: Timestamp {
        guard let value = section.value(of: .received), value.count == MemoryLayout<UInt64>.size else {
            return receivedAt
        }
        return Timestamp(
            nanoseconds: UInt64(littleEndian: value.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }))
    }
}

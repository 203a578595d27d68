/// Everything that is in one segment, and what is wrong with it.
struct SegmentScan {
    /// Bytes that are not what was written there.
    struct Damage: Equatable, Sendable {
        /// In the segment's file.
        let bytes: Range<Int>
        /// The sequences that stood there; empty where nothing is missing.
        let sequences: Range<UInt64>
        /// Spans that stood there; nil where nobody knows.
        let spans: Int?

        /// Nil where nothing is missing.
        var gap: JournalGap? {
            guard let first = sequences.first, let last = sequences.last else { return nil }
            return JournalGap(reason: .damaged, sequences: first...last, spans: spans)
        }
    }

    private(set) var index: SegmentIndex
    private(set) var damages: [Damage] = []
    /// Where records may be appended, when the segment is the last.
    private(set) var end = 0
    /// The last record's body was not written whole, and nothing stands behind it: a write that never ended.
    private(set) var isTorn = false
    /// Records that were written whole are missing at the end, and something stands where they were.
    private(set) var isCutShort = false

    /// - Parameters:
    ///   - limit: what stands there from this sequence on is void.
    ///   - durableBelow: what is known to have been written whole, of this segment and those before; 0 is unknown.
    ///   - isLast: whether an unfinished write may stand at the end.
    init(
        _ file: any JournalFile, _ header: SegmentHeader, _ disk: any JournalDisk, limit: UInt64 = .max,
        durableBelow known: UInt64 = 0, isLast: Bool
    ) throws(DiskError) {
        index = SegmentIndex(of: header)
        var reader = SegmentReader(file, header, disk)
        var next = header.firstSequence
        // The record whose body is damaged, as long as nothing was found behind it.
        var unsettled: Damage?
        var durableBelow = known
        scan: while true {
            switch try reader.next(before: file.size) {
            case .record(let record, let offset):
                guard record.sequence < limit else { break scan }
                keep(&unsettled)
                durableBelow = max(durableBelow, record.durableBelow)
                note(next..<record.sequence, at: offset..<offset)
                try add(record, at: offset, &reader)
                next = record.sequence + 1
            case .damagedBody(let record, let offset):
                guard record.sequence < limit else { break scan }
                keep(&unsettled)
                durableBelow = max(durableBelow, record.durableBelow)
                note(next..<record.sequence, at: offset..<offset)
                unsettled = Damage(
                    bytes: offset..<offset + record.stride, sequences: record.sequence..<record.sequence + 1,
                    spans: record.spanCount)
                next = record.sequence + 1
            case .damage(let bytes):
                // How many sequences stood there, the next record tells.
                keep(&unsettled)
                damages.append(Damage(bytes: bytes, sequences: next..<next, spans: nil))
            case .end(let offset):
                end = offset
                break scan
            }
        }
        settle(unsettled, durableBelow: durableBelow, isLast: isLast)
        guard nextSequence < min(known, limit) else {
            if known > 0 { dropHarmless() }
            return
        }
        let missing = nextSequence..<min(known, limit)
        // Where a segment is not there any more that began with them, nothing may stand here.
        guard let bytes = try damages.last?.sequences.isEmpty == true ? 0..<0 : reader.rest(before: file.size)
        else { return }
        isCutShort = true
        note(missing, at: bytes)
    }

    /// The sequence behind the last one that was found, damaged or not.
    var nextSequence: UInt64 {
        max(
            index.entries.last.map { $0.sequence + 1 } ?? index.header.firstSequence,
            damages.last?.sequences.upperBound ?? 0)
    }

    private mutating func add(_ record: RecordHeader, at offset: Int, _ reader: inout SegmentReader) throws(DiskError) {
        let body = try reader.body(of: record, at: offset)
        index.add(record, at: offset, tenant: record.tenant(in: body), answer: record.answer(in: body))
    }

    /// Sequences that should have stood before `bytes` and did not.
    private mutating func note(_ missing: Range<UInt64>, at bytes: Range<Int>) {
        guard !missing.isEmpty else { return dropHarmless() }
        if let last = damages.last, last.sequences.isEmpty, last.sequences.lowerBound == missing.lowerBound {
            damages[damages.count - 1] = Damage(bytes: last.bytes, sequences: missing, spans: nil)
        } else {
            damages.append(Damage(bytes: bytes, sequences: missing, spans: nil))
        }
    }

    /// Bytes of a write that never ended, with nothing missing before the record that was written after them.
    private mutating func dropHarmless() {
        if damages.last?.sequences.isEmpty == true { damages.removeLast() }
    }

    private mutating func keep(_ unsettled: inout Damage?) {
        if let damage = unsettled { damages.append(damage) }
        unsettled = nil
    }

    private mutating func settle(_ unsettled: Damage?, durableBelow: UInt64, isLast: Bool) {
        guard let damage = unsettled else { return }
        // A record that was durable was written whole; then it is damage, wherever it stands.
        if isLast, damage.sequences.lowerBound >= durableBelow {
            isTorn = true
            end = damage.bytes.lowerBound
        } else {
            damages.append(damage)
            isCutShort = true
        }
    }
}

import DequeModule

/// The records of one journal and how far each exporter has read them. No I/O, no clock, no lock.
struct JournalState {
    /// What a record takes beside its payload, so that many small ones count too.
    static let recordOverhead = 256

    struct Cursor {
        let onFull: FullPolicy
        /// The sequence of the next record that is not delivered yet.
        var next: UInt64
        /// Spans and bytes between here and the end.
        var waitingSpans = 0
        var waitingBytes = 0
    }

    /// Records and spans that an exporter will not see.
    struct Gap: Equatable {
        let cursor: Int
        let sequences: ClosedRange<UInt64>
        let spans: Int
    }

    enum Appended: Equatable {
        case taken(sequence: UInt64, gaps: [Gap])
        case full
    }

    let maxBytes: Int
    private(set) var cursors: [Cursor] = []
    private(set) var bytes = 0
    private var records: Deque<JournalRecord> = []
    private var firstSequence: UInt64 = 1

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    /// Adds an exporter, before the first record. - Returns: the index of its cursor.
    mutating func addCursor(onFull: FullPolicy) -> Int {
        precondition(records.isEmpty, "a cursor is added before the first record")
        cursors.append(Cursor(onFull: onFull, next: firstSequence))
        return cursors.count - 1
    }

    /// Whether a batch of this size would be taken now.
    func hasRoom(for size: Int) -> Bool {
        guard bytes + size > maxBytes else { return true }
        let needed = cursors.filter { $0.onFull == .refuse }.map(\.waitingBytes).max() ?? 0
        return needed + size <= maxBytes
    }

    mutating func append(_ make: (UInt64) -> JournalRecord) -> Appended {
        let sequence = firstSequence + UInt64(records.count)
        let record = make(sequence)
        let size = Self.size(of: record)
        guard hasRoom(for: size) else { return .full }
        var gaps: [Gap] = []
        while bytes + size > maxBytes, let gap = skipOldest() { gaps.append(gap) }
        records.append(record)
        bytes += size
        for index in cursors.indices {
            cursors[index].waitingSpans += record.spanCount
            cursors[index].waitingBytes += size
        }
        if cursors.isEmpty { release() }
        return .taken(sequence: sequence, gaps: gaps)
    }

    /// The next records of an exporter: at least one if there is one, then as many as fit.
    func read(_ cursor: Int, maxSpans: Int, maxBytes: Int) -> [JournalRecord] {
        var spans = 0
        var bytes = 0
        let start = Int(cursors[cursor].next - firstSequence)
        var end = start
        while end < records.count {
            spans += records[end].spanCount
            bytes += records[end].payload.count
            if end > start, spans > maxSpans || bytes > maxBytes { break }
            end += 1
        }
        return Array(records[start..<end])
    }

    /// The exporter is done with every record up to this one. A record that was skipped meanwhile is done already.
    mutating func commit(_ cursor: Int, through sequence: UInt64) {
        while cursors[cursor].next <= sequence { advance(cursor) }
        release()
    }

    private mutating func advance(_ cursor: Int) {
        let record = records[Int(cursors[cursor].next - firstSequence)]
        cursors[cursor].next += 1
        cursors[cursor].waitingSpans -= record.spanCount
        cursors[cursor].waitingBytes -= Self.size(of: record)
    }

    /// Moves the exporter that is furthest behind and may skip past one record.
    private mutating func skipOldest() -> Gap? {
        let end = firstSequence + UInt64(records.count)
        let candidates = cursors.indices.filter { cursors[$0].onFull == .skip && cursors[$0].next < end }
        guard let cursor = candidates.min(by: { cursors[$0].next < cursors[$1].next }) else { return nil }
        let sequence = cursors[cursor].next
        let spans = records[Int(sequence - firstSequence)].spanCount
        advance(cursor)
        release()
        return Gap(cursor: cursor, sequences: sequence...sequence, spans: spans)
    }

    /// Lets go of the records that every cursor has passed.
    private mutating func release() {
        let needed = cursors.map(\.next).min() ?? firstSequence + UInt64(records.count)
        while firstSequence < needed, let record = records.popFirst() {
            bytes -= Self.size(of: record)
            firstSequence += 1
        }
    }

    static func size(of record: JournalRecord) -> Int {
        record.payload.count + recordOverhead
    }
}

import DequeModule

/// The records of one journal and how far each exporter has read them. No I/O, no clock, no lock.
struct JournalState {
    /// What a record takes beside its payload, so that many small ones count too.
    static let recordOverhead = 256

    struct Reader {
        let onFull: FullPolicy
        var cursor: Cursor
        /// The sequence of the next record to be read.
        var position: UInt64
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
    private(set) var readers: [Reader] = []
    private(set) var bytes = 0
    private var records: Deque<JournalRecord> = []
    private(set) var firstSequence: UInt64 = 1

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    mutating func addReader(onFull: FullPolicy) -> Int {
        readers.append(Reader(onFull: onFull, cursor: Cursor(next: firstSequence), position: firstSequence))
        return readers.count - 1
    }

    private func held(from sequence: UInt64) -> ArraySlice<JournalRecord> {
        Array(records.dropFirst(Int(max(sequence, firstSequence) - firstSequence)))[...]
    }

    func waiting(_ reader: Int) -> (spans: Int, bytes: Int) {
        let unread = held(from: readers[reader].position)
        return (unread.reduce(0) { $0 + $1.spanCount }, unread.reduce(0) { $0 + Self.size(of: $1) })
    }

    func unsettledSpans(_ reader: Int) -> Int {
        held(from: readers[reader].cursor.next).reduce(0) { $0 + $1.spanCount }
    }

    func hasRoom(for size: Int) -> Bool {
        guard bytes + size > maxBytes else { return true }
        let needed = readers.filter { $0.onFull == .refuse }.map(\.cursor.next).min() ?? .max
        return held(from: needed).reduce(0) { $0 + Self.size(of: $1) } + size <= maxBytes
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
        release()
        return .taken(sequence: sequence, gaps: gaps)
    }

    mutating func read(_ reader: Int, maxSpans: Int, maxBytes: Int) -> [JournalRecord] {
        var spans = 0
        var bytes = 0
        var taken: [JournalRecord] = []
        for record in held(from: readers[reader].position) {
            spans += record.spanCount
            bytes += record.payload.count
            if !taken.isEmpty, spans > maxSpans || bytes > maxBytes { break }
            taken.append(record)
        }
        if let last = taken.last { readers[reader].position = last.sequence + 1 }
        return taken
    }

    mutating func commit(_ reader: Int, _ sequences: ClosedRange<UInt64>) {
        readers[reader].cursor.finish(sequences)
        release()
    }

    private mutating func skipOldest() -> Gap? {
        let end = firstSequence + UInt64(records.count)
        let candidates = readers.indices.filter { readers[$0].onFull == .skip && readers[$0].cursor.next < end }
        guard let reader = candidates.min(by: { readers[$0].cursor.next < readers[$1].cursor.next }) else {
            return nil
        }
        let sequence = readers[reader].cursor.next
        let spans = records[Int(sequence - firstSequence)].spanCount
        readers[reader].cursor.finish(sequence...sequence)
        readers[reader].position = max(readers[reader].position, sequence + 1)
        release()
        return Gap(cursor: reader, sequences: sequence...sequence, spans: spans)
    }

    private mutating func release() {
        let needed = readers.map(\.cursor.next).min() ?? firstSequence + UInt64(records.count)
        while firstSequence < needed, let record = records.popFirst() {
            bytes -= Self.size(of: record)
            firstSequence += 1
        }
    }

    static func size(of record: JournalRecord) -> Int {
        record.payload.count + recordOverhead
    }
}

/// One exporter's place in a journal: where it reads, and what of that is done. What is done outlives the process.
struct JournalReader: Sendable {
    /// A batch is handed on when it has this many spans or bytes, or when the flush interval is over.
    static let batchSpans = 8192
    static let batchBytes = 4 << 20

    /// What was not read yet.
    struct Waiting {
        let spans: Int
        let bytes: Int
        /// No more will come.
        let isClosed: Bool
        /// Another one goes on with what this reader does not bring.
        var isHandedOver = false
    }

    /// What was read a second time.
    struct Again: Sendable {
        var records: [JournalRecord] = []
        /// What is to be read next.
        var next: UInt64
        /// Records in front of that which were left out, since their keys are away.
        var sealed = 0
    }

    private let source: Journal
    private let index: Int
    private let wakeup: Wakeup
    private let disk: Disk
    private let keyWait = KeyWait()
    /// The last sequence that the journal held when this reader began; 0 if none.
    let recoveredThrough: UInt64

    init(source: Journal, index: Int, wakeup: Wakeup, disk: Disk, recoveredThrough: UInt64) {
        self.recoveredThrough = recoveredThrough
        self.source = source
        self.index = index
        self.wakeup = wakeup
        self.disk = disk
    }

    var journal: JournalID { source.id }
    var waiting: Waiting { source.waiting(index) }
    /// Spans that are not done, read or not.
    var unsettledSpans: Int { source.unsettled(index).spans }
    /// The same in bytes of the journal.
    var unsettledBytes: Int { source.unsettled(index).bytes }
    /// Whether the journal is short of room.
    var needsRoom: Bool { source.needsRoom }
    /// Since when a record that is read cannot be opened, as its key is away; nil where that is not so.
    var awaitsKeySince: ContinuousClock.Instant? { keyWait.since }

    /// Ends whoever reads here, for another one that goes on where this one was.
    func leave() { source.leave(index) }

    /// Waits until the journal has news for this reader, or for `interval`.
    func wait(for interval: Duration?) async {
        await wakeup.wait(for: interval)
    }

    /// Ends the wait that is, or the next one: a reader may have news of its own.
    func wake() {
        wakeup.wake()
    }

    /// The next records that belong in one batch; empty if there is none. They are kept until they are committed, and
    /// handed out once by each process.
    func read(maxSpans: Int = Self.batchSpans, maxBytes: Int = Self.batchBytes) async -> [JournalRecord] {
        do throws(DiskError) {
            return try await readNext(maxSpans: maxSpans, maxBytes: maxBytes)
        } catch {
            source.report(.trouble(error))
            return []
        }
    }

    /// The same for one who has to know whether there is none. After an error it can be asked again.
    func readNext(
        maxSpans: Int = Self.batchSpans, maxBytes: Int = Self.batchBytes
    ) async throws(DiskError) -> [JournalRecord] {
        while true {
            let next = source.next(index, maxSpans: maxSpans, maxBytes: maxBytes)
            switch next.source {
            case .nothing: return []
            // What an earlier process had exported is not handed out; then there is more to look for.
            case .memory(let records) where !records.isEmpty:
                if let records = await opened(records) { return records }
            case .memory: continue
            case .disk(let segment, let offset, let position):
                let found = try await disk.read(
                    segment, at: offset, from: position, before: next.head, maxSpans: maxSpans, maxBytes: maxBytes)
                let records = source.found(index, from: position, found)
                if let records, !records.isEmpty, let opened = await opened(records) { return opened }
            }
        }
    }

    /// At the end, and where another one is to go on here, nobody waits for a key.
    private var isWanted: @Sendable (AwaitedKey) -> Bool {
        { [self] key in
            guard !waiting.isClosed else { return false }
            if let former = keyWait.note(key) { source.report(.awaitsNoMore(former)) }
            source.report(.awaitsKey(key))
            return true
        }
    }

    private func endKeyWait() {
        if let key = keyWait.end() { source.report(.awaitsNoMore(key)) }
    }

    /// - Returns: nil where none of them can be had any more; empty where they stay for the next start.
    private func opened(_ records: [JournalRecord]) async -> [JournalRecord]? {
        guard records.contains(where: { $0.codec != 0 }) else { return records }
        guard let codec = source.codec else {
            source.report(.sealed)
            return []
        }
        defer { endKeyWait() }
        guard let found = await codec.open(records, while: isWanted) else { return [] }
        if !found.gone.isEmpty { source.lose(index, found.gone) }
        return found.records.isEmpty ? nil : found.records
    }

    /// Reads records a second time that were handed out and are not committed: for one who cannot keep them until it
    /// knows what to do with them.
    /// - Parameter waits: whether a record whose key is away is waited for, rather than left out.
    /// - Returns: from `sequence` on, at least one if any is left that can be read; empty if there is none.
    func readAgain(
        from sequence: UInt64, maxSpans: Int = Self.batchSpans, maxBytes: Int = Self.batchBytes, waits: Bool = true
    ) async throws(DiskError) -> Again {
        var again = Again(next: sequence)
        if let records = source.again(from: sequence, maxSpans: maxSpans, maxBytes: maxBytes) {
            try await open(records, into: &again, waits: waits)
        }
        // Those that are gone say nothing of those behind them.
        while again.records.isEmpty, let (segment, head) = source.segment(of: again.next) {
            let position = again.next
            let found = try await disk.readAgain(
                segment, from: position, before: head, maxSpans: maxSpans, maxBytes: maxBytes)
            try await open(found.records.map(\.record), into: &again, waits: waits)
            again.next = max(again.next, found.end ?? position)
            if again.next == position { break }
        }
        return again
    }

    /// Without a word of those that are gone, since that was said when they were handed out.
    private func open(_ records: [JournalRecord], into again: inout Again, waits: Bool) async throws(DiskError) {
        if let last = records.last { again.next = last.sequence + 1 }
        guard let codec = source.codec else {
            again.records = records.filter { $0.codec == 0 }
            again.sealed += records.count - again.records.count
            return
        }
        defer { endKeyWait() }
        guard let found = await codec.open(records, while: waits ? isWanted : nil) else {
            // They are not gone.
            throw DiskError(description: "the key of a record cannot be had", isFull: false)
        }
        again.records = found.records
        again.sealed += found.sealed
    }

    /// These records of a tenant, or so many of their spans, are given up, which is told. They are done once they are
    /// committed.
    func miss(_ records: ArraySlice<JournalRecord>, spans: Int, of tenant: String) {
        source.miss(index, records, spans: spans, of: tenant)
    }

    /// These records are done.
    func commit(_ sequences: ClosedRange<UInt64>) {
        source.commit(index, sequences)
    }

    /// What is done.
    var cursor: Cursor { source.cursor(index) }
}

extension JournalReader {
    /// Reads what is not in memory any more, on a thread of its own.
    actor Disk {
        private let executor: any SerialExecutor
        private var records: StoredRecords
        private var again: StoredRecords
        /// Where the last record that was read again ended.
        private var placeAgain: (segment: UInt64, offset: Int, next: UInt64)?

        init(_ disk: any JournalDisk, executor: any SerialExecutor) {
            records = StoredRecords(disk)
            again = StoredRecords(disk)
            self.executor = executor
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        func read(
            _ segment: SegmentSummary, at offset: Int?, from position: UInt64, before head: UInt64, maxSpans: Int,
            maxBytes: Int
        ) throws(DiskError) -> StoredRecords.Found {
            try records.read(
                segment, at: offset, from: position, before: head, maxSpans: maxSpans, maxBytes: maxBytes)
        }

        func readAgain(
            _ segment: SegmentSummary, from position: UInt64, before head: UInt64, maxSpans: Int, maxBytes: Int
        ) throws(DiskError) -> StoredRecords.Found {
            let isNext = placeAgain?.segment == segment.firstSequence && placeAgain?.next == position
            let found = try again.read(
                segment, at: isNext ? placeAgain?.offset : nil, from: position, before: head, maxSpans: maxSpans,
                maxBytes: maxBytes)
            placeAgain = found.records.last.map { (found.place.segment, found.place.offset, $0.record.sequence + 1) }
            return found
        }
    }
}

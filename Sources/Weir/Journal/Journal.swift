import DequeModule
import Synchronization

/// What one pipeline has accepted and its exporters have not delivered yet: appended once, read by each exporter behind
/// a cursor of its own. Returning from ``append(_:)`` is the acknowledgement.
///
/// One thread writes, in groups: while one group is on its way to the disk the next one gathers. This class is what
/// the event loops, the deliveries and that thread share; ``JournalState`` and ``DedupeWindow`` decide.
final class Journal: Sendable {
    enum Appended: Equatable, Sendable {
        case kept
        /// The same request was kept before; this is what its client was told about rejected spans.
        case repeated(Rejections)
    }

    typealias Outcome = Result<Appended, Refusal>

    /// One who waits for the commit of a request.
    fileprivate struct Waiter {
        let entry: JournalEntry
        let continuation: CheckedContinuation<Outcome, Never>
    }

    /// The place of an exporter, beside what ``JournalState`` knows of it.
    fileprivate struct Seat: Sendable {
        let wakeup = Wakeup()
        let disk: JournalReader.Disk
        /// Through here, an earlier one may have exported records without its cursor telling of it.
        let recoveredThrough: UInt64
        /// Who reads there is to end; the journal goes on.
        var isLeft = false
    }

    fileprivate struct Locked {
        var state: JournalState
        /// In the order of the state's readers.
        var seats: [Seat]
        var dedupe: DedupeWindow
        var drain = DrainRate()
        var queue: Deque<Waiter> = []
        /// When the writer took, or will have to take, the first of those that wait.
        var waitingSince: ContinuousClock.Instant?
        /// Those whose request is the same as one that is under way.
        var repeats: [RequestKey: [CheckedContinuation<Outcome, Never>]] = [:]
        var failure: DiskError?
        var isClosed = false
        /// Another one goes on with what is not delivered.
        var isHandedOver = false
        /// Cursors have moved since they were written down.
        var cursorsMoved = false
        /// Parts of segments that were found damaged, to be put aside before the segments go.
        var damages: [Damaged] = []
        var duplicates = 0
    }

    let id: JournalID
    let limits: JournalLimits
    /// Nil where no record is encrypted.
    let codec: (any RecordCodec)?
    /// The last sequence that it held when it was opened; 0 if none.
    let recoveredThrough: UInt64
    private let locked: Mutex<Locked>
    private let makeDisk: @Sendable (_ name: String) -> JournalReader.Disk
    let writerWakeup = Wakeup()
    private let events: @Sendable (JournalEvent) -> Void

    init(
        _ id: JournalID, _ state: JournalState, _ dedupe: DedupeWindow, on disk: any JournalDisk,
        recoveredThrough: UInt64, codec: (any RecordCodec)? = nil,
        executor: @escaping @Sendable (String) -> any SerialExecutor, events: @escaping @Sendable (JournalEvent) -> Void
    ) {
        self.id = id
        limits = state.limits
        self.codec = codec
        self.recoveredThrough = recoveredThrough
        makeDisk = { JournalReader.Disk(disk, executor: executor($0)) }
        let seats = state.readers.map { [makeDisk] in
            Seat(disk: makeDisk($0.name), recoveredThrough: recoveredThrough)
        }
        locked = Mutex(Locked(state: state, seats: seats, dedupe: dedupe))
        self.events = events
    }

    /// - Parameter index: of an exporter, in the order in which the journal was given them.
    func reader(_ index: Int) -> JournalReader {
        let seat = locked.withLock { $0.seats[index] }
        return JournalReader(
            source: self, index: index, wakeup: seat.wakeup, disk: seat.disk, recoveredThrough: seat.recoveredThrough)
    }

    // MARK: Appending

    /// What is known of a request before it is worked on: nil if it has to be.
    func recall(_ key: RequestKey) -> Rejections? {
        guard key != .none else { return nil }
        return locked.withLock { locked in
            guard case .answered(let rejected) = locked.dedupe.find(key, at: .now) else { return nil }
            locked.duplicates += 1
            return rejected
        }
    }

    /// Why an entry would not be taken now.
    func refusal(of entry: JournalEntry) -> Refusal? {
        locked.withLock { $0.refusal(of: entry, limits) }
    }

    /// Returns when the record is durable, as far as ``Durability`` says so, and will be delivered whatever happens.
    func append(_ entry: JournalEntry) async throws(Refusal) -> Appended {
        for prerequisite in entry.prerequisites { try await prerequisite.settle() }
        let entry = try await sealed(entry)
        let outcome = await withCheckedContinuation { continuation in
            enqueue(Waiter(entry: entry, continuation: continuation))
        }
        return try outcome.get()
    }

    private func sealed(_ entry: JournalEntry) async throws(Refusal) -> JournalEntry {
        guard let codec, codec.isSealing else { return entry }
        let record = try await codec.seal(
            JournalRecord(
                sequence: 0, tenant: entry.tenant, receivedAt: entry.receivedAt, spanCount: entry.spanCount,
                payload: entry.payload, section: entry.section))
        var sealed = entry
        sealed.payload = record.payload
        sealed.section = record.section
        sealed.codec = record.codec
        sealed.keyID = codec.keyID(of: record)
        return sealed
    }

    private func enqueue(_ waiter: Waiter) {
        let entry = waiter.entry
        var gaps: [JournalGap] = []
        let (answer, isFirst) = locked.withLock { locked -> (Outcome?, Bool) in
            if entry.key != .none {
                switch locked.dedupe.find(entry.key, at: .now) {
                case .unknown: break
                case .underWay:
                    locked.repeats[entry.key, default: []].append(waiter.continuation)
                    return (nil, false)
                case .answered(let rejected):
                    locked.duplicates += 1
                    return (.success(.repeated(rejected)), false)
                }
            }
            locked.state.makeRoom(for: entry)
            gaps = locked.state.takeGaps()
            if let refusal = locked.refusal(of: entry, limits) { return (.failure(refusal), false) }
            if entry.key != .none { locked.dedupe.begin(entry.key) }
            locked.state.queuedBytes += entry.size
            locked.queue.append(waiter)
            if locked.waitingSince == nil { locked.waitingSince = .now }
            return (nil, locked.queue.count == 1)
        }
        report(gaps)
        if let answer { waiter.continuation.resume(returning: answer) }
        if isFirst { writerWakeup.wake() }
    }

    /// Takes no more. Readers get what is there, and then the end.
    /// - Parameter forAnother: one that is opened on the same disk soon; readers get nothing more then.
    func close(forAnother: Bool = false) {
        let seats = locked.withLock { locked in
            locked.isClosed = true
            locked.isHandedOver = forAnother
            return locked.seats
        }
        writerWakeup.wake()
        for seat in seats { seat.wakeup.wake() }
    }

    // MARK: For the writer

    struct Group: Sendable {
        fileprivate var waiters: [Waiter] = []
        /// Cursors to be written down, in the order of the exporters; empty if none has moved.
        var cursors: [Cursor?] = []

        var entries: [JournalEntry] { waiters.map(\.entry) }
    }

    /// What the writer is to do next.
    /// - Parameter withCursors: whether it is time to write them down.
    func takeWork(withCursors: Bool) -> Group {
        locked.withLock { locked in
            var group = Group()
            var bytes = 0
            while group.waiters.count < GroupBuffer.groupRecords, let first = locked.queue.first {
                if !group.waiters.isEmpty, bytes + first.entry.size > GroupBuffer.groupBytes { break }
                bytes += first.entry.size
                group.waiters.append(first)
                locked.queue.removeFirst()
            }
            if locked.cursorsMoved, withCursors {
                group.cursors = locked.state.cursors
                locked.cursorsMoved = false
            }
            return group
        }
    }

    /// Cursors have moved, and are not written down yet.
    var hasMovedCursors: Bool { locked.withLock { $0.cursorsMoved } }

    /// Where the exporters are, in their order; nil for those that have left.
    var cursors: [Cursor?] { locked.withLock { $0.state.cursors } }

    /// Where the exporters are, if all have passed the oldest segment. That has to be durable before it is used again.
    var cursorsForRelease: [Cursor?]? {
        locked.withLock { $0.damages.isEmpty && $0.state.hasReleasable ? $0.state.cursors : nil }
    }

    func takeDamages() -> [Damaged] {
        locked.withLock { locked in
            defer { locked.damages = [] }
            return locked.damages
        }
    }

    /// Segments below a sequence that no exporter needs. They are not part of the journal any more.
    func takeReleasable(below sequence: UInt64) -> (segments: [SegmentSummary], oldest: UInt64) {
        locked.withLock { locked in
            let segments = locked.state.takeReleasable(below: sequence)
            return (segments, locked.state.segments.first?.firstSequence ?? locked.state.head)
        }
    }

    /// Shows exporters what is durable.
    func publish(_ placed: [JournalLog.Placed]) {
        guard !placed.isEmpty else { return }
        let due = locked.withLock { locked in locked.state.add(placed).map { locked.seats[$0].wakeup } }
        for wakeup in due { wakeup.wake() }
    }

    /// The writer has begun a segment ahead of time.
    func begin(_ segment: SegmentSummary) {
        locked.withLock { $0.state.begin(segment) }
        writerWakeup.wake()
    }

    /// Tells the group's clients: the first `count` are kept.
    func answer(_ group: Group, count: Int, error: DiskError?) {
        let refusal = error.map { Refusal.overloaded("the journal cannot write: \($0)", retryAfter: .seconds(1)) }
        var resumed: [(CheckedContinuation<Outcome, Never>, Outcome)] = []
        resumed.reserveCapacity(group.waiters.count)
        let ended = locked.withLock { locked in
            locked.waitingSince = locked.queue.isEmpty ? nil : .now
            for (index, waiter) in group.waiters.enumerated() {
                let entry = waiter.entry
                locked.state.queuedBytes -= entry.size
                let isKept = index < count
                let outcome: Outcome = isKept ? .success(.kept) : .failure(refusal ?? .stopping)
                resumed.append((waiter.continuation, outcome))
                guard entry.key != .none else { continue }
                if isKept {
                    locked.dedupe.finish(entry.key, at: .now, answer: entry.answer)
                } else {
                    locked.dedupe.fail(entry.key)
                }
                guard let repeats = locked.repeats.removeValue(forKey: entry.key) else { continue }
                if isKept { locked.duplicates += repeats.count }
                let repeated: Outcome = isKept ? .success(.repeated(entry.rejected)) : outcome
                resumed += repeats.map { ($0, repeated) }
            }
            return locked.isAtEnd ? locked.seats : []
        }
        for seat in ended { seat.wakeup.wake() }
        for (continuation, outcome) in resumed { continuation.resume(returning: outcome) }
    }

    /// - Parameter failure: why nothing can be written; nil when it can.
    func note(_ failure: DiskError?) {
        let before = locked.withLock { locked in
            defer { locked.failure = failure }
            return locked.failure
        }
        if let failure {
            if failure != before { events(before == nil ? .failed(failure) : .failsStill(failure)) }
        } else if before != nil {
            events(.recovered)
        }
    }

    func report(_ event: JournalEvent) { events(event) }

    fileprivate func report(_ gaps: [JournalGap]) {
        for gap in gaps { events(.gap(gap)) }
    }
}

extension Journal {
    var status: Status {
        locked.withLock { locked in
            Status(
                usedBytes: locked.state.usedBytes, mark: locked.state.mark,
                records: locked.state.segments.reduce(0) { $0 + $1.load.records }, failure: locked.failure,
                duplicates: locked.duplicates, rememberedRequests: locked.dedupe.count,
                forgottenRequests: locked.dedupe.evictions)
        }
    }

    // MARK: For readers

    func waiting(_ reader: Int) -> JournalReader.Waiting {
        locked.withLock { locked in
            let unread = locked.state.readers[reader].unread
            if locked.isHandedOver || locked.seats[reader].isLeft {
                return JournalReader.Waiting(spans: 0, bytes: 0, isClosed: true, isHandedOver: true)
            }
            return JournalReader.Waiting(spans: unread.spans, bytes: unread.bytes, isClosed: locked.isAtEnd)
        }
    }

    /// Who reads there gets nothing more and ends; it keeps its place until another one takes it.
    func leave(_ reader: Int) {
        let wakeup = locked.withLock { locked in
            locked.seats[reader].isLeft = true
            return locked.seats[reader].wakeup
        }
        wakeup.wake()
    }

    func cursor(_ reader: Int) -> Cursor { locked.withLock { $0.state.readers[reader].cursor } }

    /// What is not done yet, read or not.
    func unsettled(_ reader: Int) -> Load {
        locked.withLock { $0.state.readers[reader].unsettled }
    }

    func next(_ reader: Int, maxSpans: Int, maxBytes: Int) -> (source: JournalState.Source, head: UInt64) {
        var gaps: [JournalGap] = []
        let next = locked.withLock { locked in
            defer { gaps = locked.state.takeGaps() }
            return (locked.state.next(reader, maxSpans: maxSpans, maxBytes: maxBytes), locked.state.head)
        }
        report(gaps)
        return next
    }

    /// - Returns: what is to be exported; nil if the reader has been moved on meanwhile.
    func found(_ reader: Int, from position: UInt64, _ found: StoredRecords.Found) -> [JournalRecord]? {
        var gaps: [JournalGap] = []
        let segment = SegmentSummary.name(of: found.place.segment) + ".seg"
        let records = locked.withLock { locked -> [JournalRecord]? in
            defer { gaps = locked.state.takeGaps() }
            // As long as one stands here, no segment is let go of.
            locked.damages += found.damages.map { Damaged(segment: segment, damage: $0) }
            let records = locked.state.read(reader, from: position, found.records, place: found.place)
            if records != nil, let end = found.end { locked.state.pass(reader, to: end) }
            return records
        }
        if !found.damages.isEmpty { writerWakeup.wake() }
        report(gaps)
        return records
    }

    /// Where the records begin that may have come after a time: those in front are all older.
    func firstSequence(notBefore time: Timestamp) -> UInt64 {
        locked.withLock { $0.state.segments.last { $0.header.createdAt < time }?.firstSequence ?? 0 }
    }

    /// What is still in memory of records that were handed out; nil where the first of them is not.
    func again(from sequence: UInt64, maxSpans: Int, maxBytes: Int) -> [JournalRecord]? {
        locked.withLock { $0.state.again(from: sequence, maxSpans: maxSpans, maxBytes: maxBytes) }
    }

    /// The segment that a record stands in, and where the records end that may be seen; nil where there is none.
    func segment(of sequence: UInt64) -> (SegmentSummary, head: UInt64)? {
        locked.withLock { locked in
            guard sequence < locked.state.head else { return nil }
            return locked.state.segments.first { $0.end > sequence }.map { ($0, locked.state.head) }
        }
    }

    func commit(_ reader: Int, _ sequences: ClosedRange<UInt64>) {
        let isNews = locked.withLock { locked in
            let bytes = locked.state.commit(reader, sequences)
            if locked.state.isFurthestBehind(reader) { locked.drain.note(bytes, at: .now) }
            defer { locked.cursorsMoved = true }
            return !locked.cursorsMoved
        }
        if isNews { writerWakeup.wake() }
    }

    /// The same of what stands in front of a segment, whether it was read or not.
    func skip(_ reader: Int, to end: UInt64) {
        let gaps = locked.withLock { locked in
            locked.state.skip(reader, to: end)
            locked.cursorsMoved = true
            return locked.state.takeGaps()
        }
        writerWakeup.wake()
        report(gaps)
    }

    /// Records of one tenant that a reader was handed and does not deliver, nor keep anywhere.
    func miss(_ reader: Int, _ records: ArraySlice<JournalRecord>, spans: Int, of tenant: String) {
        guard let first = records.first, let last = records.last else { return }
        events(
            .gap(
                JournalGap(
                    reason: .overflow, sequences: first.sequence...last.sequence, spans: spans,
                    exporter: locked.withLock { $0.state.readers[reader].name }, tenant: tenant,
                    records: records.count)))
    }

    /// Records that a reader was handed and that nobody can read any more.
    func lose(_ reader: Int, _ records: [JournalRecord]) {
        let name = locked.withLock { $0.state.readers[reader].name }
        for record in records {
            events(
                .gap(
                    JournalGap(
                        reason: .destroyed, sequences: record.sequence...record.sequence, spans: record.spanCount,
                        exporter: name)))
            commit(reader, record.sequence...record.sequence)
        }
    }

    /// Whether the journal is short of room.
    var needsRoom: Bool { locked.withLock { $0.state.mark > .green } }
}

extension Journal {
    // MARK: Exporters that come and go

    /// An exporter that is to read here.
    struct Arrival: Sendable {
        let destination: Destination
        /// Where it is, and what it has not done; nil for one that begins again where its name is.
        let place: (cursor: Cursor, unsettled: Load)?
    }

    /// Behind the last record that exporters may see.
    var head: UInt64 { locked.withLock { $0.state.head } }

    /// Those that have a place.
    var names: Set<String> {
        locked.withLock { locked in Set(locked.state.readers.filter { !$0.isAway }.map(\.name)) }
    }

    /// Lets these come, and those go that are neither among them nor among `kept`.
    /// - Returns: the places of those that come, and of those that go the spans they have not got.
    func seat(
        _ arrivals: [Arrival], beside kept: Set<String>
    ) -> (indices: [Int], left: [(name: String, spans: Int)]) {
        let result = locked.withLock { locked in
            locked.cursorsMoved = true
            let indices = arrivals.map { locked.seat($0, recoveredThrough, makeDisk) }
            var left: [(name: String, spans: Int)] = []
            for (index, reader) in locked.state.readers.enumerated()
            where !reader.isAway && !kept.contains(reader.name) && !indices.contains(index) {
                left.append((reader.name, reader.unsettled.spans))
                locked.state.removeReader(index)
            }
            return (indices, left)
        }
        writerWakeup.wake()
        return result
    }
}

extension Journal.Locked {
    fileprivate mutating func seat(
        _ arrival: Journal.Arrival, _ recoveredThrough: UInt64, _ makeDisk: (String) -> JournalReader.Disk
    ) -> Int {
        let name = arrival.destination.name
        let before = state.readers.first { $0.name == name }
        let index = state.addReader(
            name, onFull: arrival.destination.onFull, cursor: arrival.place?.cursor ?? before?.cursor,
            unsettled: arrival.place?.unsettled ?? before?.unsettled ?? Load())
        let seat = Journal.Seat(disk: makeDisk(name), recoveredThrough: max(recoveredThrough, state.head - 1))
        if index < seats.count { seats[index] = seat } else { seats.append(seat) }
        return index
    }

    /// Nothing comes any more: what was taken in before the end is answered.
    fileprivate var isAtEnd: Bool { isClosed && waitingSince == nil }

    fileprivate func refusal(of entry: JournalEntry, _ limits: JournalLimits) -> Refusal? {
        if isClosed { return .stopping }
        if entry.size > limits.maxEntryBytes {
            return .tooLarge(
                "the request takes \(entry.size) bytes in the journal, which takes \(limits.maxEntryBytes) at most")
        }
        if let failure { return .overloaded("the journal cannot write: \(failure)", retryAfter: .seconds(5)) }
        if let waitingSince, ContinuousClock.now - waitingSince > limits.patience {
            return .overloaded("the journal's disk takes more than \(limits.patience)", retryAfter: .seconds(2))
        }
        let pause = drain.pause(for: state.excessBytes, at: .now)
        if let reason = state.refusal(of: entry) { return .overloaded(reason, retryAfter: pause) }
        if state.isOverQuota(entry.tenant) {
            return .overQuota(
                "the tenant holds more than tenant_max_bytes, \(limits.tenantBytes), of a journal that is filling",
                retryAfter: pause)
        }
        return nil
    }
}

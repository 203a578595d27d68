import Synchronization

/// What one pipeline has accepted and its exporters have not delivered yet: appended once, read by each exporter behind
/// a cursor of its own. Returning from ``append(_:)`` is the acknowledgement.
///
/// This one lives in memory. It promises order and isolation, not that anything survives the process.
final class Journal: Sendable {
    /// A record to be: everything but its place.
    struct Entry: Sendable {
        let tenant: String
        let receivedAt: Timestamp
        let spanCount: Int
        let payload: Payload

        var size: Int { payload.count + JournalState.recordOverhead }
    }

    fileprivate struct Locked {
        var state: JournalState
        var isClosed = false
        var readers: [Wakeup] = []
        var onGap: @Sendable (JournalState.Gap) -> Void = { _ in }
    }

    /// What is to be done once the lock is given back.
    private struct Appended {
        let due: [Wakeup]
        let gaps: [JournalState.Gap]
        let onGap: @Sendable (JournalState.Gap) -> Void
    }

    /// What the payloads and the overhead of all records may take.
    let maxBytes: Int
    /// It begins anew with each process, and so must the sequences' meaning.
    fileprivate let id = JournalID(value: .random(in: 0 ... .max))
    private let locked: Mutex<Locked>

    /// - Parameter maxBytes: payloads and 256 bytes for each.
    init(maxBytes: Int) {
        self.maxBytes = maxBytes
        locked = Mutex(Locked(state: JournalState(maxBytes: maxBytes)))
    }

    /// Adds an exporter. Only before the first record.
    func addReader(onFull: FullPolicy) -> JournalReader {
        let wakeup = Wakeup()
        let cursor = locked.withLock { locked in
            locked.readers.append(wakeup)
            return locked.state.addReader(onFull: onFull)
        }
        return JournalReader(source: self, cursor: cursor, wakeup: wakeup)
    }

    /// Is told of each record that an exporter will not see, by the task that appended the one that takes its place.
    func onGap(_ report: @escaping @Sendable (JournalState.Gap) -> Void) {
        locked.withLock { $0.onGap = report }
    }

    /// Whether an entry of this size would be taken now.
    func hasRoom(for size: Int) -> Bool {
        locked.withLock { !$0.isClosed && $0.state.hasRoom(for: size) }
    }

    /// Returns when the record is somebody's responsibility.
    func append(_ entry: Entry) async throws(Refusal) {
        guard entry.size <= maxBytes else {
            throw .tooLarge("the request takes \(entry.size) bytes in the journal, which holds \(maxBytes)")
        }
        let outcome = locked.withLock { locked -> Result<Appended, Refusal> in
            guard !locked.isClosed else { return .failure(.stopping) }
            let appended = locked.state.append { sequence in
                JournalRecord(
                    sequence: sequence, tenant: entry.tenant, receivedAt: entry.receivedAt,
                    spanCount: entry.spanCount, payload: entry.payload)
            }
            guard case .taken(_, let gaps) = appended else {
                return .failure(.overloaded("the journal is full", retryAfter: .seconds(1)))
            }
            let due = locked.readers.indices.filter { locked.isDue($0, entry) }.map { locked.readers[$0] }
            return .success(Appended(due: due, gaps: gaps, onGap: locked.onGap))
        }
        let appended = try outcome.get()
        for reader in appended.due { reader.wake() }
        // Outside the lock: a report may write a line of the log, and nobody else must wait for that.
        appended.gaps.forEach(appended.onGap)
    }

    /// Takes no more. Readers get what is there, and then the end.
    func close() {
        let readers = locked.withLock { locked in
            locked.isClosed = true
            return locked.readers
        }
        for reader in readers { reader.wake() }
    }

    var byteCount: Int { locked.withLock { $0.state.bytes } }

    fileprivate func read(_ cursor: Int, maxSpans: Int, maxBytes: Int) -> [JournalRecord] {
        locked.withLock { $0.state.read(cursor, maxSpans: maxSpans, maxBytes: maxBytes) }
    }

    fileprivate func commit(_ cursor: Int, _ sequences: ClosedRange<UInt64>) {
        locked.withLock { $0.state.commit(cursor, sequences) }
    }

    fileprivate func waiting(_ cursor: Int) -> JournalReader.Waiting {
        locked.withLock { locked in
            let waiting = locked.state.waiting(cursor)
            return JournalReader.Waiting(spans: waiting.spans, bytes: waiting.bytes, isClosed: locked.isClosed)
        }
    }

    fileprivate func unsettledSpans(_ cursor: Int) -> Int {
        locked.withLock { $0.state.unsettledSpans(cursor) }
    }
}

extension Journal.Locked {
    /// Whether a reader must be told of the entry: it is the first to wait, so the reader starts its clock, or it fills
    /// a batch. Waking it for every request would cost more than everything else that is done for one
    /// (docs/decisions.md).
    fileprivate func isDue(_ index: Int, _ entry: Journal.Entry) -> Bool {
        let waiting = state.waiting(index)
        let spansBefore = waiting.spans - entry.spanCount
        let bytesBefore = waiting.bytes - entry.size
        return bytesBefore == 0
            || waiting.spans >= JournalReader.batchSpans && spansBefore < JournalReader.batchSpans
            || waiting.bytes >= JournalReader.batchBytes && bytesBefore < JournalReader.batchBytes
    }
}

/// One exporter's place in a journal: where it reads, and what of that is done. Both outlive the process.
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
    }

    fileprivate let source: Journal
    fileprivate let cursor: Int
    fileprivate let wakeup: Wakeup

    var journal: JournalID { source.id }
    /// The last sequence that the journal held when it was opened; 0 if none.
    var recoveredThrough: UInt64 { 0 }
    var waiting: Waiting { source.waiting(cursor) }
    /// Spans that are not done, read or not.
    var unsettledSpans: Int { source.unsettledSpans(cursor) }
    /// Whether the journal is short of room.
    var needsRoom: Bool { false }

    /// Waits until the journal has news for this reader, or for `interval`.
    func wait(for interval: Duration?) async {
        await wakeup.wait(for: interval)
    }

    /// The next records that belong in one batch; empty if there is none. They are kept until they are committed, and
    /// handed out once by each process.
    func read(maxSpans: Int = Self.batchSpans, maxBytes: Int = Self.batchBytes) async -> [JournalRecord] {
        source.read(cursor, maxSpans: maxSpans, maxBytes: maxBytes)
    }

    /// These records are done.
    func commit(_ sequences: ClosedRange<UInt64>) {
        source.commit(cursor, sequences)
    }
}

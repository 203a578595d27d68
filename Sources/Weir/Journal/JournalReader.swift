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
    }

    private let source: Journal
    private let index: Int
    private let wakeup: Wakeup
    private let disk: Disk

    init(source: Journal, index: Int, wakeup: Wakeup, disk: Disk) {
        self.source = source
        self.index = index
        self.wakeup = wakeup
        self.disk = disk
    }

    var journal: JournalID { source.id }
    /// The last sequence that the journal held when it was opened; 0 if none.
    var recoveredThrough: UInt64 { source.recoveredThrough }
    var waiting: Waiting { source.waiting(index) }
    /// Spans that are not done, read or not.
    var unsettledSpans: Int { source.unsettled(index).spans }
    /// The same in bytes of the journal.
    var unsettledBytes: Int { source.unsettled(index).bytes }
    /// Whether the journal is short of room.
    var needsRoom: Bool { source.needsRoom }

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
        while true {
            let next = source.next(index, maxSpans: maxSpans, maxBytes: maxBytes)
            switch next.source {
            case .nothing: return []
            // What an earlier process had exported is not handed out; then there is more to look for.
            case .memory(let records) where !records.isEmpty: return records
            case .memory: continue
            case .disk(let segment, let offset, let position):
                do throws(DiskError) {
                    let found = try await disk.read(
                        segment, at: offset, from: position, before: next.head, maxSpans: maxSpans, maxBytes: maxBytes)
                    if let records = source.found(index, from: position, found), !records.isEmpty { return records }
                } catch {
                    source.report(.trouble(error))
                    return []
                }
            }
        }
    }

    /// These records are done.
    func commit(_ sequences: ClosedRange<UInt64>) {
        source.commit(index, sequences)
    }
}

extension JournalReader {
    /// Reads what is not in memory any more.
    actor Disk {
        struct Found: Sendable {
            var records: [(record: JournalRecord, length: Int)] = []
            /// Of what follows.
            var place: (segment: UInt64, offset: Int)
            /// What is to be read next, where nothing is left before it.
            var end: UInt64?
        }

        private let disk: any JournalDisk
        private let executor: any SerialExecutor
        private var reader: SegmentReader?

        init(_ disk: any JournalDisk, executor: any SerialExecutor) {
            self.disk = disk
            self.executor = executor
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        /// Reads on in a segment: at least one record if there is one, then as many as fit.
        /// - Parameters:
        ///   - position: the first sequence that is wanted.
        ///   - head: where the records that may be seen end.
        func read(
            _ segment: SegmentSummary, at offset: Int?, from position: UInt64, before head: UInt64, maxSpans: Int,
            maxBytes: Int
        ) throws(DiskError) -> Found {
            let end = min(segment.end, head)
            try open(segment, at: offset)
            // Where more is being written, what was read ahead is out of date.
            if segment.end >= head { reader?.refresh() }
            var found = Found(place: (segment.firstSequence, offset ?? disk.blockSize))
            var load = Load()
            while true {
                switch try reader?.next(before: segment.size) ?? .end(offset: 0) {
                case .record(let record, let start):
                    if record.sequence >= end { return finish(found, end) }
                    let isFull =
                        load.spans + record.spanCount > maxSpans || load.bytes + record.stride > maxBytes
                    if !found.records.isEmpty, isFull {
                        reader?.rewind(to: record, at: start)
                        return found
                    }
                    found.place.offset = start + record.stride
                    if record.sequence < position { continue }
                    load.add(Load(records: 1, spans: record.spanCount, bytes: record.stride))
                    if let read = try take(record, at: start) { found.records.append((read, record.stride)) }
                    if record.sequence + 1 == end { return found }
                case .damagedBody(_, let start): found.place.offset = start
                case .damage(let bytes): found.place.offset = bytes.upperBound
                case .end: return finish(found, end)
                }
            }
        }

        private func finish(_ found: Found, _ end: UInt64) -> Found {
            reader = nil
            var found = found
            found.end = end
            return found
        }

        /// Goes on where the last call ended, if that is where it is to.
        private func open(_ segment: SegmentSummary, at offset: Int?) throws(DiskError) {
            if let offset, reader?.header == segment.header, reader?.offset == offset { return }
            let file = try disk.open(segment.name + ".seg", isReadOnly: true)
            reader = SegmentReader(file, segment.header, disk, from: offset)
        }

        private func take(_ record: RecordHeader, at start: Int) throws(DiskError) -> JournalRecord? {
            guard let body = try reader?.body(of: record, at: start) else { return nil }
            let payload = UnsafeRawBufferPointer(rebasing: body[(record.tenantLength + record.answerLength)...])
            return JournalRecord(
                sequence: record.sequence,
                tenant: String(decoding: body[0..<record.tenantLength], as: UTF8.self),
                receivedAt: record.receivedAt, spanCount: record.spanCount, payload: .copying(payload))
        }
    }
}

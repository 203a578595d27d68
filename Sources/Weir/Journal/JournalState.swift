import DequeModule

/// What a journal holds, how far its exporters are, and whether there is room. No I/O, no clock, no lock.
struct JournalState {
    /// How full the journal is.
    enum Mark: Int, Comparable, Sendable {
        case green, yellow, red

        static func < (left: Mark, right: Mark) -> Bool { left.rawValue < right.rawValue }
    }

    struct Reader {
        let name: String
        let onFull: FullPolicy
        /// It has left: nothing is held for it.
        fileprivate(set) var isAway = false
        var cursor: Cursor
        /// The sequence of the next record to be read.
        var position: UInt64
        /// In which segment the next record stands and where, if that is known.
        var place: (segment: UInt64, offset: Int)?
        /// What was not read yet.
        var unread: Load
        /// What was read and is not done.
        fileprivate var pending: Deque<(sequence: UInt64, load: Load)> = []
        fileprivate var underWay = Load()

        /// Whether something below `sequence` is held for it.
        fileprivate func isBehind(_ sequence: UInt64) -> Bool { !isAway && cursor.next < sequence }

        /// What is not done yet, read or not.
        var unsettled: Load {
            var sum = unread
            sum.add(underWay)
            return sum
        }
    }

    private struct Cached {
        let record: JournalRecord
        let segment: UInt64
        let offset: Int
        let length: Int

        var load: Load { Load(records: 1, spans: record.spanCount, bytes: length) }
    }

    let limits: JournalLimits
    private(set) var segments: Deque<SegmentSummary>
    private(set) var readers: [Reader] = []
    private(set) var mark = Mark.green
    /// Behind the last record that exporters may see.
    private(set) var head: UInt64
    /// Of the records that wait to be written.
    var queuedBytes = 0
    private var cache: Deque<Cached> = []
    private(set) var cacheBytes = 0
    private var gaps: [JournalGap] = []
    /// What nobody will get, as was said when the journal was opened.
    private let lost: [JournalGap]

    init(_ limits: JournalLimits, segments: [SegmentSummary] = [], head: UInt64 = 1, lost: [JournalGap] = []) {
        self.limits = limits
        self.lost = lost
        self.segments = Deque(segments)
        self.head = head
        updateMark()
    }

    /// Adds an exporter. One of a name that is here takes the place of the one that had it.
    /// - Parameters:
    ///   - cursor: where it is; nil for one that is new and gets what comes from now on.
    ///   - unsettled: what it has not done yet.
    mutating func addReader(_ name: String, onFull: FullPolicy, cursor: Cursor? = nil, unsettled: Load = Load()) -> Int
    {
        var cursor = cursor ?? Cursor(next: head)
        cursor.skip(to: segments.first?.firstSequence ?? head)
        let reader = Reader(name: name, onFull: onFull, cursor: cursor, position: cursor.next, unread: unsettled)
        defer { updateMark() }
        if let index = readers.firstIndex(where: { $0.name == name }) {
            readers[index] = reader
            return index
        }
        readers.append(reader)
        return readers.count - 1
    }

    /// An exporter leaves. Its place stays, for one of the same name.
    mutating func removeReader(_ index: Int) {
        readers[index].isAway = true
        (readers[index].unread, readers[index].underWay, readers[index].pending) = (Load(), Load(), [])
        updateMark()
    }

    /// Of those that are here: in their order, nil for those that have left.
    var cursors: [Cursor?] { readers.map { $0.isAway ? nil : $0.cursor } }

    // MARK: Appending

    /// Bytes that cannot be used again yet: from the segment that the last exporter is in, to the end.
    var usedBytes: Int {
        let needed = segments.drop { isReleasable($0) }
        guard let active = needed.last else { return 0 }
        return needed.dropLast().reduce(0) { $0 + $1.size } + active.load.bytes
    }

    /// Whether an entry would be taken now, and if not, why.
    func refusal(of entry: JournalEntry) -> String? {
        if mark == .red { return "the journal holds \(usedBytes) bytes of max_bytes, \(limits.maxBytes)" }
        let size = limits.takesAnySize ? 0 : entry.size
        if Double(usedBytes + queuedBytes + size) > Double(limits.maxBytes) * JournalLimits.red {
            return "the journal has no room for \(entry.size) bytes more"
        }
        return nil
    }

    /// Whether a tenant holds more of a journal that is filling than is its.
    func isOverQuota(_ tenant: String) -> Bool {
        mark >= .yellow && bytes(of: tenant) > limits.tenantBytes
    }

    /// What of a tenant exporters hold that may not skip. No tenant answers for one that may.
    func bytes(of tenant: String) -> Int {
        let oldest = readers.filter { $0.onFull == .refuse && !$0.isAway }.map(\.cursor.next).min() ?? .max
        return segments.drop { $0.end <= oldest }.reduce(0) { $0 + ($1.bytesByTenant[tenant] ?? 0) }
    }

    /// Whether no other exporter has more to do.
    func isFurthestBehind(_ reader: Int) -> Bool {
        readers.allSatisfy { $0.unsettled.bytes <= readers[reader].unsettled.bytes }
    }

    /// Bytes to be drained until the journal takes again.
    var excessBytes: Int { max(0, usedBytes - Int(Double(limits.maxBytes) * JournalLimits.relieved)) }

    /// Records that are durable: exporters may see them.
    /// - Returns: the readers that have to be told.
    mutating func add(_ placed: [JournalLog.Placed]) -> [Int] {
        var due: Set<Int> = []
        for place in placed {
            let record = place.record
            if segments.last?.header != place.segment {
                // One that holds nothing, of which the new one has taken the name.
                if segments.last?.firstSequence == place.segment.firstSequence { segments.removeLast() }
                segments.append(SegmentSummary(header: place.segment, size: place.segmentSize))
            }
            let load = Load(records: 1, spans: record.spanCount, bytes: place.length)
            segments[segments.count - 1].end = record.sequence + 1
            segments[segments.count - 1].load.add(load)
            segments[segments.count - 1].bytesByTenant[record.tenant, default: 0] += place.length
            head = record.sequence + 1
            cache.append(
                Cached(record: record, segment: place.segment.firstSequence, offset: place.offset, length: place.length)
            )
            cacheBytes += place.length
            for index in readers.indices where !readers[index].isAway {
                if isDue(readers[index], load) { due.insert(index) }
                readers[index].unread.add(load)
            }
        }
        trimCache()
        updateMark()
        return due.sorted()
    }

    /// Whether a reader must be told of a record: it is the first to wait, so the reader starts its clock, or it fills
    /// a batch. Waking it for every request would cost more than everything else that is done for one
    /// (docs/decisions.md).
    private func isDue(_ reader: Reader, _ load: Load) -> Bool {
        let before = reader.unread
        return before.records == 0
            || before.spans < JournalReader.batchSpans && before.spans + load.spans >= JournalReader.batchSpans
            || before.bytes < JournalReader.batchBytes && before.bytes + load.bytes >= JournalReader.batchBytes
    }

    // MARK: Reading

    /// Where a reader's next record is.
    enum Source {
        case nothing
        case memory([JournalRecord])
        /// In this segment, up to `end` of its file, or in one that follows.
        case disk(SegmentSummary, offset: Int?, from: UInt64)
    }

    /// Hands out the next records from memory, at least one if there is one, then as many as fit; or says where on the
    /// disk they are, for ``read(_:_:)`` to be told what was found.
    mutating func next(_ reader: Int, maxSpans: Int, maxBytes: Int) -> Source {
        let position = readers[reader].position
        guard position < head else { return .nothing }
        guard let first = cache.first, position >= first.record.sequence else {
            let found = segments.first { $0.end > position } ?? segments[segments.count - 1]
            let place = readers[reader].place
            return .disk(found, offset: place?.segment == found.firstSequence ? place?.offset : nil, from: position)
        }
        let start = cache.binarySearch { $0.record.sequence < position }
        var taken: [JournalRecord] = []
        var load = Load()
        var index = start
        while index < cache.count {
            let cached = cache[index]
            if !taken.isEmpty, load.spans + cached.record.spanCount > maxSpans || load.bytes + cached.length > maxBytes
            {
                break
            }
            load.add(cached.load)
            if note(reader, cached.record.sequence, cached.load) { taken.append(cached.record) }
            readers[reader].place = (cached.segment, cached.offset + cached.length)
            index += 1
        }
        return .memory(taken)
    }

    /// Records that a reader was handed before, from memory: as many as fit, at least one.
    /// - Returns: nil where the first of them is not there.
    func again(from position: UInt64, maxSpans: Int, maxBytes: Int) -> [JournalRecord]? {
        guard let first = cache.first, position >= first.record.sequence else { return nil }
        var taken: [JournalRecord] = []
        var load = Load()
        for cached in cache[cache.binarySearch { $0.record.sequence < position }...] {
            load.add(cached.load)
            guard taken.isEmpty || load.spans <= maxSpans && load.bytes <= maxBytes else { break }
            taken.append(cached.record)
        }
        return taken
    }

    /// A reader has read these from the disk: each record, with its length there.
    /// - Parameters:
    ///   - position: where it stood when it began.
    ///   - place: of what follows.
    /// - Returns: those that are to be exported; nil if the reader has been moved on meanwhile.
    mutating func read(
        _ reader: Int, from position: UInt64, _ records: [(record: JournalRecord, length: Int)],
        place: (segment: UInt64, offset: Int)
    ) -> [JournalRecord]? {
        guard readers[reader].position == position else { return nil }
        let taken = records.filter { record, length in
            note(reader, record.sequence, Load(records: 1, spans: record.spanCount, bytes: length))
        }
        readers[reader].place = place
        return taken.map(\.record)
    }

    /// - Returns: whether the record is to be exported: an earlier process may have done so, before others that it had
    ///   not.
    private mutating func note(_ reader: Int, _ sequence: UInt64, _ load: Load) -> Bool {
        if sequence > readers[reader].position { pass(reader, to: sequence) }
        let isWanted = !readers[reader].cursor.isDone(sequence)
        if isWanted {
            readers[reader].unread.subtract(load)
            readers[reader].pending.append((sequence, load))
            readers[reader].underWay.add(load)
        }
        move(reader, to: sequence + 1)
        return isWanted
    }

    /// Nothing is on the disk between the reader's position and `sequence`: nobody will ever see these, and they must
    /// not keep the cursor back.
    mutating func pass(_ reader: Int, to sequence: UInt64) {
        let position = readers[reader].position
        guard sequence > position else { return }
        let isJump = segments.contains { $0.header.isJump && $0.firstSequence == sequence }
        for missing in readers[reader].cursor.missing(in: position...sequence - 1) where !isJump {
            let known = lost.first { $0.sequences.overlaps(missing) }
            gaps.append(
                JournalGap(
                    reason: known?.reason ?? .damaged, sequences: missing, spans: nil, exporter: readers[reader].name))
        }
        readers[reader].cursor.finish(position...sequence - 1)
        move(reader, to: sequence)
        updateMark()
    }

    private mutating func move(_ reader: Int, to position: UInt64) {
        readers[reader].position = position
        // What was counted and could not be read is not waited for.
        if position == head { readers[reader].unread = Load() }
    }

    /// Records that exporters have not got, and that were not told of before.
    mutating func takeGaps() -> [JournalGap] {
        defer { gaps = [] }
        return gaps
    }

    /// These records are done.
    /// - Returns: their bytes in the journal.
    mutating func commit(_ reader: Int, _ sequences: ClosedRange<UInt64>) -> Int {
        readers[reader].cursor.finish(sequences)
        var done = Load()
        let start = readers[reader].pending.binarySearch { $0.sequence < sequences.lowerBound }
        var index = start
        while index < readers[reader].pending.count, readers[reader].pending[index].sequence <= sequences.upperBound {
            done.add(readers[reader].pending[index].load)
            index += 1
        }
        readers[reader].pending.removeSubrange(start..<index)
        readers[reader].underWay.subtract(done)
        updateMark()
        return done.bytes
    }

    // MARK: Room

    /// Lets exporters that may skip pass segments, where an entry is refused because of them: none would be, were the
    /// journal below the yellow mark.
    mutating func makeRoom(for entry: JournalEntry) {
        // That is asked last: it sums up what the tenant has in every segment, and everybody waits for it.
        guard readers.contains(where: { $0.onFull == .skip && !$0.isAway }),
            refusal(of: entry) != nil || isOverQuota(entry.tenant)
        else { return }
        let enough = Int(Double(limits.maxBytes) * JournalLimits.yellow)
        while usedBytes > enough || refusal(of: entry) != nil,
            let oldest = segments.firstIndex(where: { !isReleasable($0) }), oldest + 1 < segments.count
        {
            let end = segments[oldest + 1].firstSequence
            // Somebody who may not skip holds it.
            if readers.contains(where: { $0.onFull == .refuse && $0.isBehind(end) }) { break }
            for index in readers.indices { skip(index, to: end) }
        }
    }

    /// A reader does without what stands in front of a segment, which begins at `end`.
    mutating func skip(_ reader: Int, to end: UInt64) {
        guard readers[reader].isBehind(end) else { return }
        defer { updateMark() }
        let before = readers[reader]
        readers[reader].cursor.skip(to: end)
        // What is under way goes on, but nobody would know of it any more if it failed at the end of the process: so it
        // counts as skipped, even if it then arrives.
        readers[reader].pending.removeAll { $0.sequence < end }
        readers[reader].underWay = readers[reader].pending.reduce(into: Load()) { $0.add($1.load) }
        var spans = before.underWay.spans - readers[reader].underWay.spans
        if before.position < end {
            readers[reader].position = end
            readers[reader].place = nil
            var rest = Load()
            for segment in segments where segment.firstSequence >= end { rest.add(segment.load) }
            // Some of that an earlier process may have exported.
            rest.limit(to: before.unread)
            readers[reader].unread = rest
            spans += before.unread.spans - rest.spans
        }
        for sequences in before.cursor.missing(in: before.cursor.next...end - 1) {
            // How they are spread over the ranges nobody counts; there is one range in most cases.
            gaps.append(JournalGap(reason: .skipped, sequences: sequences, spans: spans, exporter: before.name))
            spans = 0
        }
    }

    /// A segment is written to from now on that holds nothing yet.
    mutating func begin(_ segment: SegmentSummary) {
        if segments.last?.firstSequence == segment.firstSequence { segments.removeLast() }
        segments.append(segment)
    }

    /// Whether every exporter has passed the oldest segment, and it is not the one that is written to.
    var hasReleasable: Bool { segments.count > 1 && segments.first.map(isReleasable) ?? false }

    /// Segments below a sequence that every exporter has passed, oldest first. They are not part of the journal any
    /// more.
    mutating func takeReleasable(below sequence: UInt64) -> [SegmentSummary] {
        var taken: [SegmentSummary] = []
        while segments.count > 1, let first = segments.first, first.end <= sequence {
            taken.append(first)
            segments.removeFirst()
        }
        if !taken.isEmpty { trimCache() }
        return taken
    }

    private func isReleasable(_ segment: SegmentSummary) -> Bool {
        let end = segments.last?.firstSequence == segment.firstSequence ? head : segment.end
        return !readers.contains { $0.isBehind(end) }
    }

    /// Keeps what an exporter may still want, and not more than the limit.
    private mutating func trimCache() {
        let wanted =
            readers.filter { !$0.isAway }.map { limits.areReadAgain ? $0.cursor.next : $0.position }.min() ?? head
        while let first = cache.first, first.record.sequence < wanted || cacheBytes > limits.cachedBytes {
            cacheBytes -= first.length
            cache.removeFirst()
        }
    }

    private mutating func updateMark() {
        let share = Double(usedBytes) / Double(limits.maxBytes)
        if share > JournalLimits.red || mark == .red && share > JournalLimits.relieved {
            mark = .red
        } else {
            mark = share > JournalLimits.yellow ? .yellow : .green
        }
    }
}

extension Deque {
    /// The first index whose element is not `before`; those that are stand in front.
    func binarySearch(_ before: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if before(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

import DequeModule

/// The segments of a journal on its disk, as the one who writes them sees them. Everything here blocks, and one thread
/// at a time uses it. What exporters have done with the records is none of its business.
struct JournalLog: ~Copyable {
    /// Where a record was put.
    struct Placed: Sendable {
        let record: JournalRecord
        let segment: SegmentHeader
        /// Bytes of the segment's file.
        let segmentSize: Int
        let offset: Int
        /// Bytes to the next record.
        let length: Int
    }

    private struct Active: ~Copyable {
        let header: SegmentHeader
        let seed: UInt32
        let file: any JournalFile
        var index: SegmentIndex
        /// Where the next group begins.
        var end: Int
        /// A write or a sync failed: nobody knows what is on the disk, so nothing more is written there.
        var isSuspect = false
        /// A write failed, and what it was to bring was refused.
        var holdsRefused = false
    }

    /// A file that is ready to become a segment.
    static let spareName = "spare.seg"

    let journal: JournalID
    let disk: any JournalDisk
    let limits: JournalLimits
    private(set) var nextSequence: UInt64
    /// Every sequence below it is where a power cut leaves it.
    private(set) var durableBelow: UInt64
    /// The same as far as there were records: what was jumped over and what comes is not among them.
    var keptBelow: UInt64 { isJump ? foundBelow : durableBelow }
    private let foundBelow: UInt64
    private var active: Active?
    private(set) var hasSpare = false
    /// Something may be appended without a new segment.
    var hasSegment: Bool { active != nil }
    private var isJump: Bool
    private var buffer = GroupBuffer()
    /// Bytes of all segment files, the spare among them.
    private(set) var fileBytes = 0
    /// Of a file for a large record that did not become a segment.
    private var oversizeBytes = 0
    /// What is written and durable, as far as ``Durability`` says so, and was not taken yet.
    private var placed: [Placed] = []
    /// What was written and not synced yet, for ``Durability/interval``: written again elsewhere if the sync fails.
    private var unsynced: [(entry: JournalEntry, placed: Placed)] = []
    /// The newest file with a segment's name. As long as it holds nothing, the next one takes its name and its place.
    private var newest: (sequence: UInt64, size: Int)?
    /// Segments that begin below it are removed, and never used again.
    private var scrubbedBelow: UInt64 = 0
    /// Index files by the first sequence of their segment, with the time of their last record.
    private var indexes: Deque<(sequence: UInt64, newest: Timestamp)> = []

    /// - Parameters:
    ///   - opened: what was found on the disk.
    init(_ opened: consuming JournalRecovery, _ limits: JournalLimits) {
        journal = opened.journal
        disk = opened.disk
        self.limits = limits
        nextSequence = opened.nextSequence
        durableBelow = opened.nextSequence
        foundBelow = opened.durableBelow
        isJump = opened.isJump
        // One of another size was begun with other limits, or never ended.
        hasSpare = opened.spareSize == limits.segmentBytes
        fileBytes = opened.fileBytes + (hasSpare ? limits.segmentBytes : 0)
        indexes = Deque(opened.indexes)
        newest = opened.segments.last.map { ($0.firstSequence, $0.size) }
        if let last = opened.takeLast() {
            active = Active(
                header: last.index.header, seed: last.index.header.seed(disk), file: last.file, index: last.index,
                end: last.end.roundedUp(to: disk.blockSize), isSuspect: last.isClosed)
        }
    }

    /// Writes the entries, in groups, as many as it can.
    /// - Returns: how many, from the first on, and why it is not all. What is not among them will never be delivered,
    ///   unless the process ends before anything can be written again.
    mutating func append(_ entries: [JournalEntry], at now: Timestamp) -> (count: Int, error: DiskError?) {
        var rest = entries[...]
        while !rest.isEmpty {
            do throws(DiskError) {
                rest = rest.dropFirst(try write(rest, at: now))
            } catch {
                // Elsewhere it may go well; the new segment voids what this one holds of the group. What waits for its
                // sync has to be written there first.
                let count = entries.count - rest.count
                guard active?.isSuspect == true, unsynced.isEmpty else { return (count, error) }
                do throws(DiskError) {
                    rest = rest.dropFirst(try write(rest, at: now))
                } catch let second {
                    // Of a file that is gone the other one knows whether it is not the whole directory.
                    return (count, error.isMissing ? second : error)
                }
            }
        }
        return (entries.count, nil)
    }

    /// Writes one group. - Returns: how many entries it has.
    private mutating func write(_ entries: ArraySlice<JournalEntry>, at now: Timestamp) throws(DiskError) -> Int {
        guard let first = entries.first else { return 0 }
        try makeRoom(for: first.size, at: now)
        guard let header = active?.header, let seed = active?.seed, let start = active?.end, let file = active?.file
        else { return 0 }
        var group: [(header: RecordHeader, offset: Int)] = []
        buffer.reset()
        for entry in entries {
            let added = buffer.add(
                entry, sequence: nextSequence + UInt64(group.count), durableBelow: durableBelow, seed: seed,
                room: file.size & ~(disk.blockSize - 1) - start, disk)
            guard let added else { break }
            group.append(added)
        }
        let bytes = buffer.padded(to: disk.blockSize)
        do throws(DiskError) {
            try file.write(bytes, at: start)
            if limits.durability == .fsync { try file.sync() }
        } catch {
            active?.isSuspect = true
            active?.holdsRefused = true
            throw error
        }
        active?.end = start + bytes.count
        for (entry, (record, offset)) in zip(entries, group) {
            let answer = entry.answer
            active?.index.add(record, at: start + offset, tenant: entry.tenant, answer: answer)
            let place = Placed(
                record: JournalRecord(
                    sequence: record.sequence, tenant: entry.tenant, receivedAt: entry.receivedAt,
                    spanCount: entry.spanCount, payload: entry.payload, section: entry.section, codec: entry.codec),
                segment: header, segmentSize: file.size, offset: start + offset, length: record.stride)
            if limits.durability == .interval { unsynced.append((entry, place)) } else { placed.append(place) }
        }
        nextSequence += UInt64(group.count)
        if limits.durability != .interval { durableBelow = nextSequence }
        return group.count
    }

    /// What could not be written may stand in the segment nevertheless, until there is another one.
    var holdsRefused: Bool {
        switch active {
        case .some(let active): active.holdsRefused
        case .none: false
        }
    }

    /// Records that exporters may see now.
    mutating func takePlaced() -> [Placed] {
        defer { placed = [] }
        return placed
    }

    /// For ``Durability/interval``: makes durable what was written.
    mutating func sync(at now: Timestamp) throws(DiskError) {
        guard !unsynced.isEmpty else { return }
        if active?.isSuspect == false, let file = active?.file {
            do throws(DiskError) {
                try file.sync()
                return settle()
            } catch {
                // The kernel tells it once and then takes the pages for written, so this file is never asked again.
                active?.isSuspect = true
            }
        }
        let waiting = unsynced
        let end = nextSequence
        unsynced = []
        nextSequence = durableBelow
        let again = append(waiting.map(\.entry), at: now)
        do throws(DiskError) {
            if let error = again.error { throw error }
            try active?.file.sync()
            settle()
        } catch {
            active?.isSuspect = true
            // Some of them may have been settled in a segment that they filled.
            let durableBelow = durableBelow
            unsynced = waiting.filter { $0.placed.record.sequence >= durableBelow }
            nextSequence = end
            throw error
        }
    }

    private mutating func settle() {
        placed += unsynced.map(\.placed)
        unsynced = []
        durableBelow = nextSequence
    }
}

extension JournalLog {
    /// Sees to it that the active segment can take a record of this size.
    private mutating func makeRoom(for size: Int, at now: Timestamp) throws(DiskError) {
        if let end = active?.end, let file = active?.file, active?.isSuspect == false,
            end + size.roundedUp(to: disk.blockSize) <= file.size
        {
            return
        }
        try rotate(for: size, at: now)
    }

    /// Begins a segment, for which a file should be ready.
    private mutating func rotate(for size: Int, at now: Timestamp) throws(DiskError) {
        // What the old one holds must be durable before the new one says so.
        if !unsynced.isEmpty {
            let old = active?.header.id
            try sync(at: now)
            if active?.header.id != old { return try makeRoom(for: size, at: now) }
        }
        let needed = (size + disk.blockSize).roundedUp(to: disk.blockSize)
        let spare = needed > limits.segmentBytes ? Self.oversizeName : Self.spareName
        if spare == Self.oversizeName { try prepare(needed, spare) } else if !hasSpare { try prepareSpare() }
        let file = try openFile(spare)
        let header = SegmentHeader(
            journal: journal, id: .random(in: .min ... .max), firstSequence: nextSequence, createdAt: now,
            isJump: isJump)
        let block = AlignedBuffer(capacity: disk.blockSize)
        header.write(to: block.memory, disk)
        try file.write(block.bytes, at: 0)
        try file.sync()
        // From here on the old segment must not get what the new one voids, even if the new one never comes to be.
        active?.isSuspect = true
        try disk.rename(spare, to: SegmentSummary.name(of: nextSequence) + ".seg")
        if let newest, newest.sequence == nextSequence { fileBytes -= newest.size }
        newest = (nextSequence, file.size)
        if spare == Self.spareName { hasSpare = false } else { oversizeBytes = 0 }
        try disk.sync()
        seal()
        active = Active(
            header: header, seed: header.seed(disk), file: file, index: SegmentIndex(of: header), end: disk.blockSize)
        isJump = false
    }

    private mutating func openFile(_ spare: String) throws(DiskError) -> any JournalFile {
        do throws(DiskError) {
            return try disk.open(spare, isReadOnly: false)
        } catch {
            guard error.isMissing, hasSpare, spare == Self.spareName else { throw error }
            // Somebody has removed it.
            hasSpare = false
            fileBytes -= limits.segmentBytes
            try prepareSpare()
            return try disk.open(spare, isReadOnly: false)
        }
    }

    /// A file that is ready to become the segment of one large record.
    static let oversizeName = "oversize.seg"

    /// Writes down what is in the segment that is full. Without it the next start reads the segment itself.
    private mutating func seal() {
        active?.index.drop(from: nextSequence)
        guard let index = active?.index, let newest = index.entries.last?.receivedAt else { return }
        try? IndexFile.write(index, disk)
        indexes.append((index.header.firstSequence, newest))
    }

    /// Takes the room for one more segment, if the limits have it.
    private mutating func prepare(_ size: Int, _ name: String) throws(DiskError) {
        // What an earlier try has left behind.
        try? disk.remove(name)
        if name == Self.oversizeName {
            fileBytes -= oversizeBytes
            oversizeBytes = 0
        }
        // Else the state alone says what is too much: a segment over the limit must not keep the next from beginning.
        guard limits.takesAnySize || fileBytes + size <= limits.maxBytes else {
            throw DiskError(description: "the journal has \(fileBytes) of max_bytes, \(limits.maxBytes)", isFull: true)
        }
        let free = try disk.freeBytes()
        guard free - size >= limits.minFreeBytes else {
            throw DiskError(
                description: "found \(ByteCount(free)) free on the disk, wanted \(ByteCount(size)) for a segment and "
                    + "min_free_bytes, \(ByteCount(limits.minFreeBytes)), beside it",
                isFull: true)
        }
        _ = try disk.create(name, size: size)
        fileBytes += size
        if name == Self.oversizeName { oversizeBytes = size }
    }

    private mutating func prepareSpare() throws(DiskError) {
        try prepare(limits.segmentBytes, Self.spareName)
        hasSpare = true
    }

    /// Does ahead of time what the next append may need, and after an error what makes it possible again.
    mutating func prepare(at now: Timestamp) throws(DiskError) {
        if active?.isSuspect == true {
            if unsynced.isEmpty { try rotate(for: 0, at: now) } else { try sync(at: now) }
        }
        if !hasSpare { try prepareSpare() }
    }

    /// Sees to it that nothing of the records that are there outlives their segments: a file that goes on has none of
    /// their bytes.
    /// - Returns: the segment that is begun.
    mutating func scrub(at now: Timestamp) throws(DiskError) -> SegmentSummary? {
        // It was a segment itself.
        if hasSpare {
            try disk.remove(Self.spareName)
            fileBytes -= limits.segmentBytes
            hasSpare = false
        }
        try rotate(for: 0, at: now)
        scrubbedBelow = nextSequence
        // Where a sync failed, what was to be synced stands in the new segment already.
        guard let header = active?.header, header.firstSequence == nextSequence, let size = active?.file.size else {
            return nil
        }
        return SegmentSummary(header: header, size: size)
    }

    /// These segments are not needed any more: the first becomes the spare, if there is none and it may.
    mutating func release(_ segments: [SegmentSummary]) throws(DiskError) {
        var first: DiskError?
        for segment in segments where segment.firstSequence != newest?.sequence {
            let name = segment.name + ".seg"
            do throws(DiskError) {
                if limits.reusesSegments, !hasSpare, segment.size == limits.segmentBytes,
                    segment.firstSequence >= scrubbedBelow
                {
                    try disk.rename(name, to: Self.spareName)
                    hasSpare = true
                } else {
                    try disk.remove(name)
                    fileBytes -= segment.size
                }
            } catch {
                // It takes room until the next start.
                first = first ?? error
            }
        }
        if let first { throw first }
    }

    /// Removes the indexes of segments that are gone, once no client's resend can be in them.
    /// - Parameter oldest: the first sequence of the oldest segment that is there.
    mutating func forgetIndexes(below oldest: UInt64, at now: Timestamp) {
        while let (sequence, newest) = indexes.first, sequence < oldest {
            let age = Duration.nanoseconds(Int64(clamping: Int64(now.nanoseconds) - Int64(newest.nanoseconds)))
            guard age > limits.dedupeWindow else { return }
            try? disk.remove(SegmentSummary.name(of: sequence) + IndexFile.suffix)
            indexes.removeFirst()
        }
    }
}

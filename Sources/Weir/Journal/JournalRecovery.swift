/// What is found on the disk when a journal is opened: everything that was acknowledged, and what is wrong with it.
/// Reading only; ``JournalLog`` and ``JournalState`` go on from here.
///
/// One who only looks may do so while somebody writes, who takes away the oldest segments once the cursors say that
/// every exporter has passed them. A segment loses its name before its file is used again, so what was read of one that
/// has its name afterwards is what was written there.
struct JournalRecovery: ~Copyable {
    /// The newest segment, which may have room left.
    struct Last {
        let file: any JournalFile
        let index: SegmentIndex
        let end: Int
        /// Nothing may be appended behind what it holds.
        let isClosed: Bool
    }

    static let identityName = "identity"
    /// Stands in a journal with `durability: none`, since nobody knows what of it a power cut leaves.
    static let unsyncedName = "unsynced"
    /// More records than the system keeps in memory for a disk. There are enough sequences for 2³² such jumps.
    static let unsyncedJump: UInt64 = 1 << 32

    let disk: any JournalDisk
    private(set) var journal: JournalID
    /// Oldest first.
    private(set) var segments: [SegmentSummary] = []
    private(set) var cursors: [String: Cursor] = [:]
    /// What each exporter has not done yet.
    private(set) var unsettled: [String: Load] = [:]
    /// When the oldest of that was received.
    private(set) var oldest: [String: Timestamp] = [:]
    private(set) var gaps: [JournalGap] = []
    /// Parts of files that are not what was written there, to be put aside; empty where something is missing between
    /// two records.
    private(set) var damages: [(name: String, bytes: Range<Int>)] = []
    /// Every sequence below it was kept, whether its record is there or not.
    private(set) var durableBelow: UInt64 = 0
    /// A write that never ended was found; nobody was told that it had.
    private(set) var isTorn = false
    private(set) var nextSequence: UInt64 = 1
    /// `nextSequence` is not the one behind the last record.
    private(set) var isJump = false
    /// Bytes of a file that is ready to become a segment; nil where there is none.
    private(set) var spareSize: Int?
    /// Bytes of all segments.
    private(set) var fileBytes = 0
    /// Index files by their first sequence, with the time of their last record.
    private(set) var indexes: [(sequence: UInt64, newest: Timestamp)] = []
    /// Files that are no use to anybody.
    private(set) var strays: [String] = []
    /// Files that nobody can make sense of, though they may hold records, and their bytes.
    private(set) var unreadable: [(name: String, size: Int)] = []
    /// The file that says which journal this is has to be written.
    private(set) var isUnidentified = false
    /// An earlier process wrote without knowing what of it would last.
    private(set) var isUnsynced = false
    private var last: Last?
    /// Whoever writes has begun a segment since the names were read.
    private var isOutrun = false
    private let isReadOnly: Bool
    private let verifies: Bool

    /// - Parameters:
    ///   - isReadOnly: for one who only looks, perhaps while somebody writes.
    ///   - verifies: reads every segment, and not only those that have no index.
    ///   - eachIndex: is shown the index of every segment, oldest first, and of segments that are gone, for what was
    ///     asked lately.
    init(
        _ disk: any JournalDisk, isReadOnly: Bool = false, verifies: Bool = false,
        eachIndex: (SegmentIndex) -> Void = { _ in }
    ) throws(DiskError) {
        self.disk = disk
        self.isReadOnly = isReadOnly
        self.verifies = verifies
        journal = JournalID(value: 0)
        let names = try disk.names()
        let headers = try readHeaders(names)
        try identify(names, headers.map(\.header))
        let own = headers.filter { $0.header.journal == journal }
        try readCursors(names, oldest: own.first?.header.firstSequence)
        try sortMisnamed()
        try readSegments(own, Set(names), eachIndex)
        isUnsynced = names.contains(Self.unsyncedName)
        placeNext()
        noteMissingForCursors()
    }

    /// What an earlier process wrote, and perhaps did not sync, is where a power cut leaves it from here on.
    func sync() throws(DiskError) {
        try last?.file.sync()
    }

    /// The newest segment, once.
    mutating func takeLast() -> Last? {
        defer { last = nil }
        return last
    }

    /// A segment as one who only looks finds it; nil where it went since.
    func open(_ segment: SegmentSummary) throws(DiskError) -> (any JournalFile)? {
        try opened(segment.name + ".seg")
    }

    private func opened(_ name: String, isReadOnly opensReadOnly: Bool = true) throws(DiskError) -> (any JournalFile)? {
        do throws(DiskError) {
            return try disk.open(name, isReadOnly: opensReadOnly)
        } catch {
            guard isReadOnly, error.isMissing else { throw error }
            return nil
        }
    }

    /// Whether a file does not have the name any more under which it was read.
    private func isGone(_ name: String) throws(DiskError) -> Bool {
        guard isReadOnly else { return false }
        return try opened(name) == nil
    }

    private func readIndex(_ name: String) throws(DiskError) -> SegmentIndex? {
        do throws(DiskError) {
            return try IndexFile.read(name, disk)
        } catch {
            guard isReadOnly, error.isMissing else { throw error }
            return nil
        }
    }

    private typealias Found = (name: String, header: SegmentHeader, size: Int)

    private mutating func readHeaders(_ names: [String]) throws(DiskError) -> [Found] {
        var found: [Found] = []
        for name in names.sorted() where name.hasSuffix(".seg") && !name.hasPrefix(Quarantine.prefix) {
            guard let file = try opened(name) else { continue }
            if name == JournalLog.spareName {
                spareSize = file.size
                continue
            }
            let first = UInt64(name.dropLast(4)).flatMap { SegmentSummary.name(of: $0) + ".seg" == name ? $0 : nil }
            let header = try header(of: file, first, names)
            if header?.firstSequence != first, try isGone(name) { continue }
            if let header {
                guard header.firstSequence == first else {
                    misnamed.append((name, header, file.size))
                    continue
                }
                found.append((name, header, file.size))
                fileBytes += file.size
            } else if name == JournalLog.oversizeName {
                strays.append(name)
            } else {
                unreadable.append((name, file.size))
                // How many records it held nobody knows, but not more than fit. No journal gets as far as the highest
                // numbers, so they are not the name of a segment.
                if let first, first < UInt64.max / 2 {
                    lost.append(first..<first + UInt64(file.size / RecordHeader.size) + 1)
                }
            }
        }
        return found
    }

    /// - Parameter first: what its name says.
    private func header(
        of file: any JournalFile, _ first: UInt64?, _ names: [String]
    ) throws(DiskError) -> SegmentHeader? {
        if let header = try Self.header(of: file, disk) { return header }
        // Both copies stand in one block. The list of its records has a third, once the segment is full.
        guard let first, names.contains(SegmentSummary.name(of: first) + IndexFile.suffix) else { return nil }
        return try readIndex(SegmentSummary.name(of: first) + IndexFile.suffix)?.header
    }

    private static func header(
        of file: any JournalFile, _ disk: some JournalDisk
    ) throws(DiskError) -> SegmentHeader? {
        let block = AlignedBuffer(capacity: disk.blockSize)
        do throws(DiskError) {
            guard try file.read(into: block.memory, at: 0) == block.memory.count else { return nil }
        } catch {
            guard error.isUnreadable else { throw error }
            return nil
        }
        return SegmentHeader(block.bytes, disk)
    }

    /// Of those that have the name of another, those are kept that hold records that some exporter has not got. The
    /// others were to be used again, and did not get their new name.
    private mutating func sortMisnamed() throws(DiskError) {
        let passed = cursors.values.map(\.next).min() ?? 0
        for (name, header, size) in misnamed {
            guard let file = try opened(name) else { continue }
            let scan = try SegmentScan(file, header, disk, isLast: false)
            if try isGone(name) { continue }
            if header.journal != journal || scan.nextSequence > max(passed, header.firstSequence) {
                unreadable.append((name, size))
            } else {
                strays.append(name)
            }
        }
    }

    /// Segments that have the name of another one.
    private var misnamed: [Found] = []
    /// Sequences that may have stood in segments that nobody can make sense of.
    private var lost: [Range<UInt64>] = []
    /// Segments that had to be read because their index was not there.
    private(set) var scanned: [SegmentIndex] = []
    /// Exporters that have a file for their cursor, damaged or not.
    private(set) var cursorFiles: Set<String> = []
    /// Exporters whose cursor is damaged: they begin with the oldest record, since nobody knows where they were.
    private(set) var damagedCursors: [String] = []

    /// Which journal a disk has; nil where that is not written down.
    static func identity(of disk: some JournalDisk) throws(DiskError) -> JournalID? {
        try header(of: try disk.open(identityName, isReadOnly: true), disk)?.journal
    }

    private mutating func identify(_ names: [String], _ headers: [SegmentHeader]) throws(DiskError) {
        if names.contains(Self.identityName), let identity = try Self.identity(of: disk) {
            journal = identity
            return
        }
        isUnidentified = true
        journal = headers.last?.journal ?? JournalID(value: .random(in: 1 ... .max))
    }

    private mutating func readCursors(_ names: [String], oldest: UInt64?) throws(DiskError) {
        (cursors, damagedCursors, unsettled, self.oldest) = ([:], [], [:], [:])
        for name in names where name.hasSuffix(CursorFile.suffix) {
            let exporter = String(name.dropLast(CursorFile.suffix.count))
            cursorFiles.insert(exporter)
            guard let file = try cursorFile(name) else { continue }
            durableBelow = max(durableBelow, file.durableBelow)
            if let cursor = file.cursor {
                cursors[exporter] = cursor
            } else if let oldest {
                cursors[exporter] = Cursor(next: oldest)
                damagedCursors.append(exporter)
            } else {
                continue
            }
            unsettled[exporter] = Load()
        }
        let there = isReadOnly ? try disk.names() : []
        isOutrun = there.contains { $0.hasSuffix(".seg") && !names.contains($0) }
        // What is kept may be in what was begun.
        if isOutrun { durableBelow = 0 }
    }

    /// - Returns: nil where it went since the names were read.
    private func cursorFile(_ name: String) throws(DiskError) -> CursorFile? {
        do throws(DiskError) {
            return try CursorFile(name, journal, disk, exists: true, isReadOnly: true)
        } catch {
            guard isReadOnly, error.isMissing else { throw error }
            return nil
        }
    }

    private mutating func readSegments(
        _ found: [Found], _ names: Set<String>, _ eachIndex: (SegmentIndex) -> Void
    ) throws(DiskError) {
        try readIndexesOfGoneSegments(names, found, eachIndex)
        for (position, segment) in found.enumerated() {
            let following = position + 1 < found.count ? found[position + 1].header : nil
            note(missingBefore: segment.header)
            guard let index = try index(of: segment, following, names) else {
                // So did those before it.
                segments = []
                try readCursors(Array(names), oldest: following?.firstSequence)
                continue
            }
            nextSequence = max(nextSequence, segment.header.firstSequence)
            let end = following?.firstSequence ?? .max
            nextSequence = max(nextSequence, min(end, index.entries.last.map { $0.sequence + 1 } ?? 0))
            eachIndex(index)
            count(index)
            if following != nil, let newest = index.entries.last?.receivedAt {
                indexes.append((segment.header.firstSequence, newest))
            }
            segments.append(index.summary(size: segment.size))
        }
    }

    /// Of a segment that is not the last, the index file says what is in it; otherwise the segment itself is read.
    /// - Returns: nil where it went since the names were read.
    private mutating func index(
        of segment: Found, _ following: SegmentHeader?, _ names: Set<String>
    ) throws(DiskError) -> SegmentIndex? {
        let name = SegmentSummary.name(of: segment.header.firstSequence) + IndexFile.suffix
        let index = names.contains(name) ? try readIndex(name) : nil
        let sealed = index.flatMap { $0.header == segment.header ? $0 : nil }
        if following != nil, !verifies, let sealed { return sealed }
        guard let file = try opened(segment.name, isReadOnly: isReadOnly || following != nil) else { return nil }
        func read() throws(DiskError) -> SegmentScan {
            // What was kept behind a segment that is full stood in another.
            try SegmentScan(
                file, segment.header, disk, limit: following?.firstSequence ?? .max,
                durableBelow: sealed?.end ?? (following == nil ? durableBelow : 0), isLast: following == nil)
        }
        var scan = try read()
        // A part of a write that is under way may be there. What is damaged is so the second time, too.
        if isReadOnly, following == nil, scan.isTorn || !scan.damages.isEmpty { scan = try read() }
        if try isGone(segment.name) { return nil }
        for damage in scan.damages { note(damage, segment.name) }
        nextSequence = max(nextSequence, scan.nextSequence)
        if following != nil {
            scanned.append(scan.index)
        } else {
            isTorn = scan.isTorn
            // The next record does not follow on the last that is there.
            isJump = scan.isCutShort
            last = Last(file: file, index: scan.index, end: scan.end, isClosed: scan.isTorn)
        }
        return scan.index
    }

    private mutating func note(_ damage: SegmentScan.Damage, _ name: String) {
        damages.append((name, damage.bytes))
        if let gap = damage.gap { gaps.append(gap) }
    }

    private mutating func note(missingBefore header: SegmentHeader) {
        // What every exporter had done was let go of, and a power cut may have brought back some of it.
        let first = max(nextSequence, cursors.values.map(\.next).min() ?? 0)
        guard !segments.isEmpty, !header.isJump, header.firstSequence > first else { return }
        gaps.append(JournalGap(reason: .missing, sequences: first...header.firstSequence - 1, spans: nil))
    }

    private mutating func readIndexesOfGoneSegments(
        _ names: Set<String>, _ found: [Found], _ eachIndex: (SegmentIndex) -> Void
    ) throws(DiskError) {
        let held = Set(found.map { SegmentSummary.name(of: $0.header.firstSequence) + IndexFile.suffix })
        for name in names.sorted() where name.hasSuffix(IndexFile.suffix) && !held.contains(name) {
            guard let index = try readIndex(name), index.header.journal == journal,
                let newest = index.entries.last?.receivedAt
            else {
                strays.append(name)
                continue
            }
            eachIndex(index)
            indexes.append((index.header.firstSequence, newest))
        }
    }

    private mutating func count(_ index: SegmentIndex) {
        for (name, cursor) in cursors {
            for entry in index.entries where !cursor.isDone(entry.sequence) {
                unsettled[name]?.add(entry.load)
                oldest[name] = min(oldest[name] ?? entry.receivedAt, entry.receivedAt)
            }
        }
    }

    /// A cursor beyond the last record tells of records that are lost. Their sequences are known to exporters, so they
    /// are never used again.
    private mutating func placeNext() {
        // Where no segment is left, nobody knows of more than this.
        if segments.isEmpty { nextSequence = cursors.values.map(\.next).min() ?? nextSequence }
        let passed = cursors.values.map { $0.done.last.map { $0.upperBound + 1 } ?? $0.next }
        let lost = lost.filter { $0.lowerBound >= nextSequence }.map(\.upperBound)
        let used = (passed + lost + [durableBelow]).max() ?? 0
        if used > nextSequence {
            if !isOutrun { gaps.append(JournalGap(reason: .missing, sequences: nextSequence...used - 1, spans: nil)) }
            nextSequence = used
            isJump = true
        }
        durableBelow = nextSequence
        if isUnsynced, !isReadOnly {
            // Exporters may know records beyond those that were found, and would take new ones for them.
            nextSequence += Self.unsyncedJump
            isJump = true
        }
        guard isJump else { return }
        if let last { self.last = Last(file: last.file, index: last.index, end: last.end, isClosed: true) }
    }

    /// What an exporter had not got when the segments that held it went away.
    private mutating func noteMissingForCursors() {
        // Before a jump there may have been nothing.
        guard let first = segments.first, !first.header.isJump else { return }
        let oldest = first.firstSequence
        for (name, cursor) in cursors.sorted(by: { $0.key < $1.key }) where cursor.next < oldest {
            gaps.append(
                JournalGap(reason: .missing, sequences: cursor.next...oldest - 1, spans: nil, exporter: name))
        }
    }
}

/// What is found on the disk when a journal is opened: everything that was acknowledged, and what is wrong with it.
/// Reading only; ``JournalLog`` and ``JournalState`` go on from here.
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
    /// Parts of files that are not what was written there, to be put aside.
    private(set) var damages: [(name: String, bytes: Range<Int>)] = []
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
    /// The file that says which journal this is has to be written.
    private(set) var isUnidentified = false
    /// An earlier process wrote without knowing what of it would last.
    private(set) var isUnsynced = false
    private var last: Last?
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

    private typealias Found = (name: String, header: SegmentHeader, size: Int)

    private mutating func readHeaders(_ names: [String]) throws(DiskError) -> [Found] {
        var found: [Found] = []
        let block = AlignedBuffer(capacity: disk.blockSize)
        for name in names.sorted() where name.hasSuffix(".seg") {
            let file = try disk.open(name, isReadOnly: true)
            if name == JournalLog.spareName {
                spareSize = file.size
                continue
            }
            let count = try file.read(into: block.memory, at: 0)
            let header = count == block.memory.count ? SegmentHeader(block.bytes, disk) : nil
            if let header, SegmentSummary.name(of: header.firstSequence) + ".seg" == name {
                found.append((name, header, file.size))
                fileBytes += file.size
            } else if header == nil, let first = UInt64(name.dropLast(4)) {
                // Both copies of the header are damaged. How many records it held nobody knows, but not more than fit.
                unreadable.append((name, first..<first + UInt64(file.size / RecordHeader.size) + 1, file.size))
            } else {
                // One that was to be used again, and did not get its new name.
                strays.append(name)
            }
        }
        return found
    }

    /// Segments of which neither copy of the header is whole, and the sequences that may have stood there.
    private(set) var unreadable: [(name: String, sequences: Range<UInt64>, size: Int)] = []
    /// Segments that had to be read because their index was not there.
    private(set) var scanned: [SegmentIndex] = []
    /// Exporters that have a file for their cursor, damaged or not.
    private(set) var cursorFiles: Set<String> = []
    /// Exporters whose cursor is damaged: they begin with the oldest record, since nobody knows where they were.
    private(set) var damagedCursors: [String] = []

    /// Which journal a disk has; nil where that is not written down.
    static func identity(of disk: some JournalDisk) throws(DiskError) -> JournalID? {
        let block = AlignedBuffer(capacity: disk.blockSize)
        let count = try disk.open(identityName, isReadOnly: true).read(into: block.memory, at: 0)
        return count == block.memory.count ? SegmentHeader(block.bytes, disk)?.journal : nil
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
        for name in names where name.hasSuffix(CursorFile.suffix) {
            let exporter = String(name.dropLast(CursorFile.suffix.count))
            cursorFiles.insert(exporter)
            if let cursor = try CursorFile(name, journal, disk, exists: true, isReadOnly: true).cursor {
                cursors[exporter] = cursor
            } else if let oldest {
                cursors[exporter] = Cursor(next: oldest)
                damagedCursors.append(exporter)
            } else {
                continue
            }
            unsettled[exporter] = Load()
        }
    }

    private mutating func readSegments(
        _ found: [Found], _ names: Set<String>, _ eachIndex: (SegmentIndex) -> Void
    ) throws(DiskError) {
        try readIndexesOfGoneSegments(names, found, eachIndex)
        for (position, segment) in found.enumerated() {
            let following = position + 1 < found.count ? found[position + 1].header : nil
            note(missingBefore: segment.header)
            let index = try index(of: segment, following, names)
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
    private mutating func index(
        of segment: Found, _ following: SegmentHeader?, _ names: Set<String>
    ) throws(DiskError) -> SegmentIndex {
        let name = SegmentSummary.name(of: segment.header.firstSequence) + IndexFile.suffix
        if following != nil, !verifies, names.contains(name), let index = try IndexFile.read(name, disk),
            index.header == segment.header
        {
            return index
        }
        let file = try disk.open(segment.name, isReadOnly: isReadOnly || following != nil)
        let scan = try SegmentScan(
            file, segment.header, disk, limit: following?.firstSequence ?? .max, isLast: following == nil)
        for damage in scan.damages { note(damage, segment.name) }
        nextSequence = max(nextSequence, scan.nextSequence)
        if following != nil {
            scanned.append(scan.index)
        } else {
            isTorn = scan.isTorn
            last = Last(file: file, index: scan.index, end: scan.end, isClosed: scan.isTorn)
        }
        return scan.index
    }

    private mutating func note(_ damage: SegmentScan.Damage, _ name: String) {
        if !damage.bytes.isEmpty { damages.append((name, damage.bytes)) }
        guard !damage.sequences.isEmpty else { return }
        gaps.append(
            JournalGap(
                reason: .damaged, sequences: damage.sequences.lowerBound...damage.sequences.upperBound - 1,
                spans: damage.spans))
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
            guard let index = try IndexFile.read(name, disk), index.header.journal == journal,
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
        let unreadable = unreadable.filter { $0.sequences.lowerBound >= nextSequence }.map(\.sequences.upperBound)
        let used = (passed + unreadable).max() ?? 0
        if used > nextSequence {
            gaps.append(JournalGap(reason: .missing, sequences: nextSequence...used - 1, spans: nil))
            nextSequence = used
            isJump = true
        }
        if isUnsynced {
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

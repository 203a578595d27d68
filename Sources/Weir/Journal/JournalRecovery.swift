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
    private(set) var hasSpare = false
    private(set) var fileBytes = 0
    /// Index files by their first sequence, with the time of their last record.
    private(set) var indexes: [(sequence: UInt64, newest: Timestamp)] = []
    /// Files that are no use to anybody.
    private(set) var strays: [String] = []
    /// The file that says which journal this is has to be written.
    private(set) var isUnidentified = false
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
        try readCursors(names)
        try readSegments(headers.filter { $0.header.journal == journal }, Set(names), eachIndex)
        placeNext()
        noteMissingForCursors()
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
                hasSpare = true
                fileBytes += file.size
                continue
            }
            let count = try file.read(into: block.memory, at: 0)
            let header = count == block.memory.count ? SegmentHeader(block.bytes, disk) : nil
            if let header, SegmentSummary.name(of: header.firstSequence) + ".seg" == name {
                found.append((name, header, file.size))
                fileBytes += file.size
            } else if let first = UInt64(name.dropLast(4)) {
                // Both copies of the header are damaged. How many records it held nobody knows, but not more than fit.
                damages.append((name, 0..<file.size))
                unreadable.append(name)
                unreadableEnd = max(unreadableEnd, first + UInt64(file.size / RecordHeader.size))
            } else {
                strays.append(name)
            }
        }
        return found
    }

    /// Segments of which neither copy of the header is whole.
    private(set) var unreadable: [String] = []
    /// Segments that had to be read because their index was not there.
    private(set) var scanned: [SegmentIndex] = []
    /// Exporters that have a file for their cursor, damaged or not.
    private(set) var cursorFiles: Set<String> = []
    /// Behind the last sequence that may have stood in a segment that cannot be read.
    private var unreadableEnd: UInt64 = 0

    private mutating func identify(_ names: [String], _ headers: [SegmentHeader]) throws(DiskError) {
        if names.contains(Self.identityName) {
            let block = AlignedBuffer(capacity: disk.blockSize)
            let count = try disk.open(Self.identityName, isReadOnly: true).read(into: block.memory, at: 0)
            if count == block.memory.count, let identity = SegmentHeader(block.bytes, disk) {
                journal = identity.journal
                return
            }
        }
        isUnidentified = true
        journal = headers.last?.journal ?? JournalID(value: .random(in: 1 ... .max))
    }

    private mutating func readCursors(_ names: [String]) throws(DiskError) {
        for name in names where name.hasSuffix(CursorFile.suffix) {
            let exporter = String(name.dropLast(CursorFile.suffix.count))
            cursorFiles.insert(exporter)
            guard let cursor = try CursorFile(name, journal, disk, exists: true, isReadOnly: true).cursor else {
                continue
            }
            cursors[exporter] = cursor
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
        guard !segments.isEmpty, !header.isJump, header.firstSequence > nextSequence else { return }
        gaps.append(
            JournalGap(reason: .missing, sequences: nextSequence...header.firstSequence - 1, spans: nil))
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
        let passed = cursors.values.map { $0.done.last.map { $0.upperBound + 1 } ?? $0.next }.max() ?? 0
        let used = max(passed, unreadableEnd)
        guard used > nextSequence else { return }
        gaps.append(JournalGap(reason: .missing, sequences: nextSequence...used - 1, spans: nil))
        nextSequence = used
        isJump = true
        if let last { self.last = Last(file: last.file, index: last.index, end: last.end, isClosed: true) }
    }

    /// What an exporter had not got when the segments that held it went away.
    private mutating func noteMissingForCursors() {
        guard let oldest = segments.first?.firstSequence else { return }
        for (name, cursor) in cursors.sorted(by: { $0.key < $1.key }) where cursor.next < oldest {
            gaps.append(
                JournalGap(reason: .missing, sequences: cursor.next...oldest - 1, spans: nil, exporter: name))
        }
    }
}

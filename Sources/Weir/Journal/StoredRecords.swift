/// Reads records of a journal from its disk: of one segment after the other, in large pieces. Blocks.
struct StoredRecords: ~Copyable {
    struct Found: Sendable {
        var records: [(record: JournalRecord, length: Int)] = []
        /// Of what follows.
        var place: (segment: UInt64, offset: Int)
        /// What is to be read next, where nothing is left before it.
        var end: UInt64?
        /// What is wrong with the segment, as far as its records may be seen; empty where it was told before.
        var damages: [SegmentScan.Damage] = []
    }

    private let disk: any JournalDisk
    /// Where the last call ended.
    private var reader: SegmentReader?
    /// Where the records ended that it could see.
    private var seen: UInt64 = 0
    /// The segment whose damages were told last, and how far.
    private var told: (segment: SegmentHeader, end: UInt64)?

    init(_ disk: any JournalDisk) {
        self.disk = disk
    }

    /// Reads on in a segment: at least one record if there is one, then as many as fit.
    /// - Parameters:
    ///   - position: the first sequence that is wanted.
    ///   - head: where the records that may be seen end.
    mutating func read(
        _ segment: SegmentSummary, at offset: Int?, from position: UInt64, before head: UInt64, maxSpans: Int,
        maxBytes: Int
    ) throws(DiskError) -> Found {
        let end = min(segment.end, head)
        let (read, isDamaged) = try readOn(
            in: segment, at: offset, from: position, before: end, maxSpans: maxSpans, maxBytes: maxBytes)
        var found = read
        if isDamaged { found.damages = try damages(of: segment, before: end) }
        return found
    }

    /// Everything that is wrong there, in the words of a start that reads the segment.
    private mutating func damages(
        of segment: SegmentSummary, before end: UInt64
    ) throws(DiskError) -> [SegmentScan.Damage] {
        if let told, told.segment == segment.header, told.end == end { return [] }
        let file = try disk.open(segment.name + ".seg", isReadOnly: true)
        let scan = try SegmentScan(file, segment.header, disk, limit: end, durableBelow: end, isLast: false)
        told = (segment.header, end)
        return scan.damages
    }

    private mutating func readOn(
        in segment: SegmentSummary, at offset: Int?, from position: UInt64, before end: UInt64, maxSpans: Int,
        maxBytes: Int
    ) throws(DiskError) -> (Found, isDamaged: Bool) {
        try open(segment, at: offset)
        // Where more was written since, what was read ahead is out of date.
        if seen != end { reader?.refresh() }
        seen = end
        var found = Found(place: (segment.firstSequence, offset ?? disk.blockSize))
        var load = Load()
        // Nothing is left out, so what does not follow on the one before is what damage has left.
        var next = offset == nil ? segment.firstSequence : position
        var isDamaged = false
        while true {
            switch try reader?.next(before: segment.size) ?? .end(offset: 0) {
            case .record(let record, let start):
                if record.sequence > next { isDamaged = true }
                if record.sequence >= end { return (finish(found, end), isDamaged) }
                let isFull =
                    load.spans + record.spanCount > maxSpans || load.bytes + record.stride > maxBytes
                if !found.records.isEmpty, isFull {
                    reader?.rewind(to: record, at: start)
                    found.place.offset = start
                    return (found, isDamaged)
                }
                found.place.offset = start + record.stride
                next = record.sequence + 1
                if record.sequence < position { continue }
                load.add(Load(records: 1, spans: record.spanCount, bytes: record.stride))
                if let read = try take(record, at: start) { found.records.append((read, record.stride)) }
                if record.sequence + 1 == end { return (found, isDamaged) }
            case .damagedBody(let record, let start):
                found.place.offset = start
                next = record.sequence + 1
                isDamaged = true
            case .damage(let bytes): found.place.offset = bytes.upperBound
            case .end: return (finish(found, end), isDamaged || next < end)
            }
        }
    }

    private mutating func finish(_ found: Found, _ end: UInt64) -> Found {
        reader = nil
        var found = found
        found.end = end
        return found
    }

    /// Goes on where the last call ended, if that is where it is to.
    private mutating func open(_ segment: SegmentSummary, at offset: Int?) throws(DiskError) {
        if let offset, reader?.header == segment.header, reader?.offset == offset { return }
        let file = try disk.open(segment.name + ".seg", isReadOnly: true)
        reader = SegmentReader(file, segment.header, disk, from: offset)
    }

    private mutating func take(_ record: RecordHeader, at start: Int) throws(DiskError) -> JournalRecord? {
        guard let body = try reader?.body(of: record, at: start) else { return nil }
        return JournalRecord(
            sequence: record.sequence, tenant: record.tenant(in: body), receivedAt: record.receivedAt,
            spanCount: record.spanCount, payload: .copying(record.payload(in: body)),
            section: record.section(in: body), codec: record.codec)
    }
}

/// Reads records of a journal from its disk: of one segment after the other, in large pieces. Blocks.
struct StoredRecords: ~Copyable {
    struct Found: Sendable {
        var records: [(record: JournalRecord, length: Int)] = []
        /// Of what follows.
        var place: (segment: UInt64, offset: Int)
        /// What is to be read next, where nothing is left before it.
        var end: UInt64?
    }

    private let disk: any JournalDisk
    /// Where the last call ended.
    private var reader: SegmentReader?
    /// Where the records ended that it could see.
    private var seen: UInt64 = 0

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
        try open(segment, at: offset)
        // Where more was written since, what was read ahead is out of date.
        if seen != end { reader?.refresh() }
        seen = end
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
                    found.place.offset = start
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

/// What is known of a segment without reading it.
struct SegmentSummary: Equatable, Sendable {
    let header: SegmentHeader
    /// Bytes of the file.
    let size: Int
    /// The sequence behind its last record.
    var end: UInt64
    /// Records, their spans and the bytes that they take in the file.
    var load = Load()
    /// Those bytes, by tenant.
    var bytesByTenant: [String: Int] = [:]

    var firstSequence: UInt64 { header.firstSequence }
    /// The file's name without its suffix.
    var name: String { Self.name(of: firstSequence) }

    init(header: SegmentHeader, size: Int) {
        self.header = header
        self.size = size
        end = header.firstSequence
    }

    mutating func add(_ entry: SegmentIndex.Entry, tenant: String) {
        end = entry.sequence + 1
        load.add(entry.load)
        bytesByTenant[tenant, default: 0] += entry.length
    }

    static func name(of sequence: UInt64) -> String { sequence.digits(20) }
}

/// How much there is of something.
struct Load: Equatable, Sendable {
    var records = 0
    var spans = 0
    /// As the records take in a segment.
    var bytes = 0

    mutating func add(_ other: Load) {
        records += other.records
        spans += other.spans
        bytes += other.bytes
    }

    mutating func limit(to other: Load) {
        records = min(records, other.records)
        spans = min(spans, other.spans)
        bytes = min(bytes, other.bytes)
    }

    mutating func subtract(_ other: Load) {
        records -= other.records
        spans -= other.spans
        bytes -= other.bytes
    }
}

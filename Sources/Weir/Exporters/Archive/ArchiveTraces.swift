/// The traces that a file has spans of, as far as it takes to tell of most others that it has none.
struct ArchiveTraces {
    /// So many that of 1,000 files fewer than one has to be looked into for nothing.
    private static let bitsPerTrace = 32
    /// Bytes of a filter; of more than four million traces it tells less well.
    static let maximumSize = 16 << 20

    private(set) var hashes: Set<UInt64> = []

    /// XXH64 of the sixteen bytes of the id.
    static func hash(_ trace: TraceID) -> UInt64 {
        withUnsafeBytes(of: (trace.high.bigEndian, trace.low.bigEndian)) { XXHash64.hash($0) }
    }

    mutating func add(_ trace: TraceID) {
        hashes.insert(Self.hash(trace))
    }

    mutating func add(_ batch: borrowing Batch) {
        var last: TraceID?
        for span in batch.spans where !span.isDropped && span.trace != last {
            add(span.trace)
            last = span.trace
        }
    }

    mutating func formUnion(_ other: ArchiveTraces) {
        hashes.formUnion(other.hashes)
    }

    /// Writes the filter to a new file, synced.
    /// - Parameter key: that it is sealed with; nil where it is not.
    func write(_ path: String, _ key: DataKey? = nil) throws(FileError) -> ArchiveManifest.File {
        var filter = BloomFilter(size: min(hashes.count * Self.bitsPerTrace / 8, Self.maximumSize))
        for hash in hashes { filter.insert(hash) }
        let bytes = filter.bytes
        let file = try AppendFile(creating: path, try key?.seal(path))
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
        return try ArchiveRewritten.File(nil, rows: hashes.count, file).named(path)
    }
}

/// Hashes of what a file has, such as its traces, as far as it takes to tell of most others that it has none.
struct ArchiveHashes {
    /// So many that of 1,000 files fewer than one has to be looked into for nothing.
    private static let bitsPerHash = 32
    /// Bytes of a filter; of more than four million hashes it tells less well.
    static let maximumSize = 16 << 20

    /// So many are known one by one: about 10 MiB. Of more there are only the bits of a filter as large as one becomes.
    private static let maximumHashes = 1 << 19

    private var hashes: Set<UInt64> = []
    /// In place of the hashes.
    private var filter: BloomFilter?
    /// Those in the filter, about.
    private var filtered = 0

    var count: Int { hashes.count + filtered }

    /// XXH64 of the sixteen bytes of the id.
    static func hash(_ trace: TraceID) -> UInt64 {
        withUnsafeBytes(of: (trace.high.bigEndian, trace.low.bigEndian)) { XXHash64.hash($0) }
    }

    mutating func add(_ trace: TraceID) {
        add(Self.hash(trace))
    }

    mutating func add(_ hash: UInt64) {
        guard filter == nil else {
            if filter?.insert(hash) ?? false { filtered += 1 }
            return
        }
        hashes.insert(hash)
        if hashes.count >= Self.maximumHashes { moveToFilter() }
    }

    private mutating func moveToFilter() {
        guard filter == nil else { return }
        filter = BloomFilter(size: Self.maximumSize)
        for hash in hashes { add(hash) }
        hashes = []
    }

    /// As small as it may be for what is in it.
    var finished: BloomFilter {
        guard var filter else {
            var filter = BloomFilter(size: min(hashes.count * Self.bitsPerHash / 8, Self.maximumSize))
            for hash in hashes { filter.insert(hash) }
            return filter
        }
        while filter.size / 2 >= filtered * Self.bitsPerHash / 8 { filter.fold() }
        return filter
    }
}

/// The decisions about the keys that were met, of one lane.
struct KeyCache<Decision: BitwiseCopyable>: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var hash: UInt64
        /// Where the key stands in `bytes`.
        var key: Int
        var count: Int
        var decision: Decision
    }

    /// Keys that are kept. When there are more, all are forgotten.
    static var maxEntries: Int { 4096 }
    private static var places: Int { 8192 }

    private let table = UnsafeMutablePointer<Int32>.allocate(capacity: Self.places)
    private var entries = RecordBuffer<Entry>(capacity: 64, limit: 2 * maxEntries * MemoryLayout<Entry>.stride)
    private var bytes = RecordBuffer<UInt8>(capacity: 4096, limit: 2 << 20)

    init() {
        table.initialize(repeating: -1, count: Self.places)
    }

    deinit {
        table.deallocate()
    }

    /// - Parameter salt: tells apart what the same bytes mean in different places.
    @inline(__always)
    func decision(for key: UnsafeRawBufferPointer, salt: UInt64) -> Decision? {
        let hash = Self.hash(key) ^ salt
        var place = Self.place(hash)
        while table[place] >= 0 {
            let entry = entries[Int(table[place])]
            let known = UnsafeRawBufferPointer(start: bytes.base + entry.key, count: entry.count)
            if entry.hash == hash, AttributeKey.areEqual(known, key) { return entry.decision }
            place = (place + 1) & (Self.places - 1)
        }
        return nil
    }

    mutating func keep(_ decision: Decision, for key: UnsafeRawBufferPointer, salt: UInt64) {
        let hash = Self.hash(key) ^ salt
        guard let base = key.assumingMemoryBound(to: UInt8.self).baseAddress, key.count <= 4096 else { return }
        if entries.count == Self.maxEntries || bytes.count + key.count > 1 << 20 {
            (entries.count, bytes.count) = (0, 0)
            table.update(repeating: -1, count: Self.places)
        }
        let start = bytes.count
        bytes.append(base, count: key.count)
        var place = Self.place(hash)
        while table[place] >= 0 { place = (place + 1) & (Self.places - 1) }
        table[place] = Int32(entries.count)
        entries.append(Entry(hash: hash, key: start, count: key.count, decision: decision))
    }

    private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (places - 1) }

    @inline(__always)
    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: key.count) &* 0x9E37_79B9_7F4A_7C15
        var at = 0
        while at + 8 <= key.count {
            hash = (hash ^ key.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            at += 8
        }
        var rest: UInt64 = 0
        while at < key.count {
            rest = rest << 8 | UInt64(key[at])
            at += 1
        }
        hash = (hash ^ rest) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ hash >> 29
    }
}

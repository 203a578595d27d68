/// The decisions about the keys that were met, of one lane.
struct KeyCache: ~Copyable {
    private struct Entry {
        let hash: UInt64
        let key: [UInt8]
        let decision: KeyDecision
    }

    /// Keys that are kept. Of those that come later, each is decided anew.
    static let maxEntries = 4096
    private static let places = 8192

    private let table = UnsafeMutablePointer<Int32>.allocate(capacity: places)
    private var entries: [Entry] = []

    init() {
        table.initialize(repeating: -1, count: Self.places)
    }

    deinit {
        table.deallocate()
    }

    /// - Parameter salt: tells apart what the same bytes mean in different places.
    @inline(__always)
    mutating func decision(
        for key: UnsafeRawBufferPointer, salt: UInt64, _ make: () -> KeyDecision
    ) -> KeyDecision {
        let hash = Self.hash(key) ^ salt
        var place = Int(truncatingIfNeeded: hash >> 20) & (Self.places - 1)
        while table[place] >= 0 {
            let index = Int(table[place])
            if entries[index].hash == hash, entries[index].key.count == key.count,
                entries[index].key.withUnsafeBytes({ $0.elementsEqual(key) })
            {
                return entries[index].decision
            }
            place = (place + 1) & (Self.places - 1)
        }
        let decision = make()
        if entries.count < Self.maxEntries {
            table[place] = Int32(entries.count)
            entries.append(Entry(hash: hash, key: Array(key), decision: decision))
        }
        return decision
    }

    @inline(__always)
    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: key.count) &* 0x9E37_79B9_7F4A_7C15
        var at = 0
        while at + 8 <= key.count {
            hash = (hash ^ key.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            at += 8
        }
        while at < key.count {
            hash = (hash ^ UInt64(key[at])) &* 0x0000_0100_0000_01B3
            at += 1
        }
        return (hash ^ hash >> 29) &* 0xC4CE_B9FE_1A85_EC53
    }
}

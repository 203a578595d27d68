/// Parquet's split block Bloom filter (BloomFilter.md): tells of most values that are not in a column chunk that they
/// are not, and never of one that is.
struct BloomFilter {
    /// Of 1,000 values that are not there, about one is taken for being there.
    private static let bitsPerValue = 17
    private static let blockSize = 32
    private static let maximumSize = 1 << 20
    private static let salts: [UInt32] = [
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
    ]

    private var words: [UInt32]

    /// - Parameter count: how many different values there will be.
    init(for count: Int) {
        // Arrow refuses a filter whose size is no power of two.
        var size = Self.blockSize
        while size < Self.maximumSize, size * 8 < count * Self.bitsPerValue { size *= 2 }
        self.init(size: size)
    }

    /// - Parameter size: bytes, at least.
    init(size: Int) {
        let blocks = max(1, (size + Self.blockSize - 1) / Self.blockSize)
        words = [UInt32](repeating: 0, count: blocks * Self.salts.count)
    }

    /// As it stands in a file, with its header; nil where that is something else.
    init?(written bytes: [UInt8]) {
        let words = bytes.withUnsafeBytes { bytes -> [UInt32]? in
            var reader = ThriftReader(bytes)
            guard let size = reader.message()?[1]?.int, size > 0, size % Self.blockSize == 0,
                size <= bytes.count - reader.position
            else { return nil }
            return stride(from: reader.position, to: reader.position + size, by: 4).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
        guard let words else { return nil }
        self.words = words
    }

    /// Bytes, without the header.
    var size: Int { words.count * 4 }

    /// - Parameter hash: the value's ``XXHash64``.
    /// - Returns: whether it is new, as far as the filter can tell.
    @discardableResult
    mutating func insert(_ hash: UInt64) -> Bool {
        let block = place(of: hash)
        var isNew = false
        for (word, salt) in Self.salts.enumerated() {
            let bit = Self.bit(hash, salt)
            isNew = isNew || words[block + word] & bit == 0
            words[block + word] |= bit
        }
        return isNew
    }

    /// The same in half of the bytes, which have to be an even number of blocks: a value's block is chosen by the upper
    /// bits of its hash, so that two neighbours become one.
    mutating func fold() {
        let length = Self.salts.count
        precondition(words.count % (2 * length) == 0, "half of \(size) bytes")
        for index in 0..<words.count / 2 {
            let first = index / length * 2 * length + index % length
            words[index] = words[first] | words[first + length]
        }
        words.removeLast(words.count / 2)
    }

    func contains(_ hash: UInt64) -> Bool {
        let block = place(of: hash)
        return Self.salts.enumerated().allSatisfy { words[block + $0] & Self.bit(hash, $1) != 0 }
    }

    /// With its header, as it stands in a file.
    var bytes: [UInt8] {
        let header = ThriftWriter { header in
            header.int32(1, words.count * 4)
            // The algorithm BLOCK, the hash XXHASH, and no compression are each the first of a union.
            for field in 2...4 { header.message(field) { $0.message(1) } }
        }
        return header.bytes + words.map(\.littleEndian).withUnsafeBytes { Array($0) }
    }

    private func place(of hash: UInt64) -> Int {
        let blocks = UInt64(words.count / Self.salts.count)
        return Int(((hash >> 32) * blocks) >> 32) * Self.salts.count
    }

    private static func bit(_ hash: UInt64, _ salt: UInt32) -> UInt32 {
        1 << ((UInt32(truncatingIfNeeded: hash) &* salt) >> 27)
    }
}

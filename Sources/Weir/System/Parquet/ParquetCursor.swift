/// Goes through the values of a page, in the encodings that ``ParquetWriter`` uses. Nil wherever the bytes end, or are
/// something else.
struct ParquetCursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func byte() -> UInt8? { take(1)?[0] }

    mutating func length() -> Int? { take(4).map { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) } }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = byte() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func zigzag() -> Int64? {
        varint().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    /// Numbers of so many bits, each beginning at the lowest bit that is free, and the rest of the last byte.
    mutating func packed(_ count: Int, width: Int) -> [UInt64]? {
        guard (0...64).contains(width), count <= 1 << 24, let packed = take((count * width + 7) / 8) else { return nil }
        var values: [UInt64] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            var value: UInt64 = 0
            var filled = 0
            var bit = index * width
            while filled < width {
                let part = min(8 - bit % 8, width - filled)
                let mask = UInt64(1) << UInt64(part) - 1
                value |= (UInt64(packed[bit / 8]) >> UInt64(bit % 8) & mask) << UInt64(filled)
                filled += part
                bit += part
            }
            values.append(value)
        }
        return values
    }

    /// What ``RunLengths`` wrote.
    mutating func runs(_ count: Int, width: Int) -> [UInt32]? {
        guard (1...32).contains(width) else { return nil }
        var values: [UInt32] = []
        values.reserveCapacity(count)
        while values.count < count {
            guard let head = varint(), head >> 1 <= UInt64(1 << 24) else { return nil }
            let size = Int(head >> 1)
            if head & 1 == 1 {
                guard let packed = packed(size * 8, width: width), size > 0 else { return nil }
                values += packed.prefix(count - values.count).map { UInt32(truncatingIfNeeded: $0) }
            } else {
                guard let bytes = take((width + 7) / 8), size > 0 else { return nil }
                let value = bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                values += repeatElement(value, count: min(size, count - values.count))
            }
        }
        return values
    }

    /// What ``Deltas`` wrote.
    /// - Parameters:
    ///   - bits: 32 or 64.
    ///   - limit: how many there are at most.
    mutating func deltas(bits: Int, limit: Int) -> [Int64]? {
        guard let block = varint(), let miniblocks = varint(), let total = varint(), let first = zigzag(),
            (1...65_536).contains(block), (1...64).contains(miniblocks), block % (miniblocks * 8) == 0,
            total <= UInt64(limit)
        else { return nil }
        let (count, size) = (Int(total), Int(block / miniblocks))
        guard count > 0 else { return [] }
        var values = [first]
        values.reserveCapacity(count)
        while values.count < count {
            guard let least = zigzag(), let widths = take(Int(miniblocks)) else { return nil }
            for width in widths where values.count < count {
                guard let rests = packed(size, width: Int(width)) else { return nil }
                for rest in rests.prefix(count - values.count) {
                    let next = values[values.count - 1] &+ least &+ Int64(bitPattern: rest)
                    values.append(bits == 32 ? Int64(Int32(truncatingIfNeeded: next)) : next)
                }
            }
        }
        return values
    }
}

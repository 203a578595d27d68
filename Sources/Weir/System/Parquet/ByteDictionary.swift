import Glibc

/// The different texts of a column, of which each stands there once.
struct ByteDictionary: ~Copyable {
    /// Bytes of all different texts. Readers keep them in memory.
    private static let maximumSize = 4 << 20
    /// Texts that may all be different, since what repeats may do so with a long period.
    static let patience = 8_192
    /// The same where the texts of the rows before were not worth it, and bytes of them.
    static let impatience = 1_024
    private static let impatientSize = 256 << 10

    /// In the order in which they first came, as PLAIN: each behind its length.
    private(set) var plain = RecordBuffer<UInt8>(capacity: 64, limit: .max)
    /// The ``XXHash64`` of each.
    private(set) var hashes = RecordBuffer<UInt64>(capacity: 16, limit: .max)
    /// Where in `plain` each begins, behind its length.
    private var places = RecordBuffer<UInt32>(capacity: 16, limit: .max)
    /// Numbers of texts, plus one, where their hashes want them; 0 is free.
    private var table = [UInt32](repeating: 0, count: 64)
    /// Which one was looked for last: most texts are the same as the one before.
    private var last = 0
    /// Those that were looked for lately, by their lengths and what they begin and end with: of a few texts that take
    /// turns none is hashed.
    private var recent = [UInt32](repeating: 0, count: 64)

    var count: Int { places.count }

    /// The text with this number. Valid until the next one is added.
    @inline(__always)
    subscript(number: Int) -> UnsafeRawBufferPointer {
        let start = UnsafeRawPointer(plain.base + Int(places[number]))
        let count = start.loadUnaligned(fromByteOffset: -4, as: UInt32.self)
        return UnsafeRawBufferPointer(start: start, count: Int(UInt32(littleEndian: count)))
    }

    /// Whether it is shorter with it than without, as far as so many texts can tell.
    /// - Parameter patience: texts that may all be different; 0 where no more come.
    func isWorthIt(for texts: Int, patience: Int) -> Bool {
        let isLikely = count * 2 <= texts || patience != Self.impatience
        guard plain.count <= (isLikely ? Self.maximumSize : Self.impatientSize) else { return false }
        return count <= 512 || count * 2 <= texts || texts <= patience
    }

    /// The number of a text, which is new or not.
    @inline(__always)
    mutating func number(of text: UnsafeRawBufferPointer) -> UInt32 {
        if last >= count || !Self.areEqual(self[last], text) { last = recall(text) }
        return UInt32(truncatingIfNeeded: last)
    }

    private mutating func recall(_ text: UnsafeRawBufferPointer) -> Int {
        let slot = Self.slot(of: text)
        let known = Int(recent[slot])
        if known < count, Self.areEqual(self[known], text) { return known }
        let number = find(text)
        recent[slot] = UInt32(truncatingIfNeeded: number)
        return number
    }

    /// Of 64.
    @inline(__always)
    private static func slot(of text: UnsafeRawBufferPointer) -> Int {
        guard text.count >= 8 else { return text.isEmpty ? 0 : Int(text[0] ^ text[text.count - 1]) & 63 }
        let first = text.loadUnaligned(as: UInt64.self)
        let last = text.loadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self)
        let mixed = (first ^ last << 1 ^ UInt64(text.count)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 58)
    }

    /// Forgets the texts.
    mutating func reset(keeping bytes: Int) {
        plain.reset(keeping: bytes)
        hashes.reset(keeping: bytes)
        places.reset(keeping: bytes)
        table = [UInt32](repeating: 0, count: 64)
        last = 0
    }

    private mutating func find(_ text: UnsafeRawBufferPointer) -> Int {
        let hash = XXHash64.hash(text)
        var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[place] != 0 {
            let number = Int(table[place] - 1)
            if hashes[number] == hash, Self.areEqual(self[number], text) { return number }
            place = (place + 1) & (table.count - 1)
        }
        plain.littleEndian(UInt32(text.count))
        places.append(UInt32(plain.count))
        hashes.append(hash)
        plain.append(text)
        table[place] = UInt32(count)
        if count * 2 > table.count { grow() }
        return count - 1
    }

    private mutating func grow() {
        table = [UInt32](repeating: 0, count: table.count * 4)
        for number in 0..<count {
            var place = Int(truncatingIfNeeded: hashes[number]) & (table.count - 1)
            while table[place] != 0 { place = (place + 1) & (table.count - 1) }
            table[place] = UInt32(number + 1)
        }
    }

    @inline(__always)
    private static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let own = left.baseAddress, let other = right.baseAddress else { return true }
        return memcmp(own, other, left.count) == 0
    }
}

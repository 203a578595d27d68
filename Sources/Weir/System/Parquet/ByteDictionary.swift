import Glibc

/// The different texts of a column chunk, and for each text which of them it is.
struct ByteDictionary {
    /// Bytes of all different texts. Readers keep them in memory.
    private static let maximumSize = 4 << 20
    /// Texts that may all be different, since what repeats may do so with a long period.
    private static let patience = 8_192

    /// In the order in which they first came. They live as long as the texts that were given.
    private(set) var entries: [UnsafeRawBufferPointer] = []
    /// Their ``XXHash64``.
    private(set) var hashes: [UInt64] = []
    /// For each text.
    private(set) var indices: [UInt32] = []
    private(set) var size = 0
    /// Places of entries, plus one; 0 is free.
    private var table = [UInt32](repeating: 0, count: 1_024)

    /// Nil where the texts are too many or too different to gain by it.
    init?(_ texts: [UnsafeRawBufferPointer]) {
        indices.reserveCapacity(texts.count)
        var last: UnsafeRawBufferPointer?
        var index: UInt32 = 0
        for (number, text) in texts.enumerated() {
            if last.map({ Self.equal($0, text) }) != true {
                index = find(text)
                last = text
            }
            indices.append(index)
            guard size <= Self.maximumSize, number < Self.patience || isWorthIt(number) else { return nil }
        }
        guard isWorthIt(texts.count) else { return nil }
    }

    private func isWorthIt(_ texts: Int) -> Bool {
        entries.count <= 512 || entries.count * 2 <= texts
    }

    private mutating func find(_ text: UnsafeRawBufferPointer) -> UInt32 {
        let hash = XXHash64.hash(text)
        var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[place] != 0 {
            let entry = Int(table[place] - 1)
            if hashes[entry] == hash, Self.equal(entries[entry], text) { return UInt32(entry) }
            place = (place + 1) & (table.count - 1)
        }
        entries.append(text)
        hashes.append(hash)
        size += text.count + 4
        table[place] = UInt32(entries.count)
        if entries.count * 2 > table.count { grow() }
        return UInt32(entries.count - 1)
    }

    private mutating func grow() {
        table = [UInt32](repeating: 0, count: table.count * 2)
        for (entry, hash) in hashes.enumerated() {
            var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
            while table[place] != 0 { place = (place + 1) & (table.count - 1) }
            table[place] = UInt32(entry + 1)
        }
    }

    @inline(__always)
    private static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let own = left.baseAddress, let other = right.baseAddress, own != other else { return true }
        return memcmp(own, other, left.count) == 0
    }
}

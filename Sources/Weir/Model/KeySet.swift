/// Keys that somebody asks for. One look at the attributes of a span tells which of them it may have, and most
/// questions are for what is not there.
struct KeySet: Sendable {
    /// Which of the keys, a bit each.
    typealias Bits = UInt64

    /// A key as far as it is looked at: nearly all are told apart by that.
    private struct Key: Sendable {
        let length: UInt32
        let beginning: UInt64
        let mask: UInt64
    }

    private var keys: [Key] = []
    /// A bit for each length; lengths of 64 and more share those of shorter ones.
    fileprivate private(set) var lengths: UInt64 = 0

    /// - Returns: its bit; 0 where 64 others are there.
    mutating func insert(_ key: AttributeKey) -> Bits {
        let length = UInt32(truncatingIfNeeded: key.count)
        let new = Key(
            length: length, beginning: key.bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) },
            mask: key.count >= 8 ? .max : (1 << UInt64(8 * key.count)) - 1)
        if let known = keys.firstIndex(where: { $0.length == length && $0.beginning == new.beginning }) {
            return 1 << UInt64(known)
        }
        guard keys.count < Bits.bitWidth else { return 0 }
        keys.append(new)
        lengths |= 1 &<< UInt64(length)
        return 1 << UInt64(keys.count - 1)
    }

    /// - Parameter bytes: with eight more behind them.
    fileprivate func bits(of bytes: UnsafeRawBufferPointer) -> Bits {
        let beginning = UInt64(littleEndian: bytes.baseAddress.unsafelyUnwrapped.loadUnaligned(as: UInt64.self))
        var bits: Bits = 0
        for index in keys.indices
        where Int(keys[index].length) == bytes.count && beginning & keys[index].mask == keys[index].beginning {
            bits |= 1 &<< UInt64(index)
        }
        return bits
    }
}

extension Batch {
    /// Those of the keys that the attributes may have; all others they do not have. Removed ones count.
    @inline(__always)
    func mayHave(_ keys: KeySet, in range: AttributeRange) -> KeySet.Bits {
        var next = arena.pointee.attributes.base + Int(range.start)
        let end = next + Int(range.count)
        let lengths = keys.lengths
        var bits: KeySet.Bits = 0
        while next != end {
            // Behind a payload and a side buffer stand eight more bytes.
            if lengths & (1 &<< UInt64(next.pointee.key.count)) != 0 { bits |= keys.bits(of: bytes(next.pointee.key)) }
            next += 1
        }
        return bits
    }
}

/// Tells which attribute of the vocabularies a key is, by one look and one comparison.
///
/// Each key has a slot of its own: the factor of the hash is one that no two of them share a slot with.
final class GenAIKeyTable: Sendable {
    struct Entry: BitwiseCopyable, Sendable {
        let attribute: GenAIAttribute
        /// Which of ``GenAIAttribute/keys`` it is. Lower goes before higher.
        let rank: UInt8
        /// Where the key stands among the bytes of all.
        fileprivate let place: UInt16
        fileprivate let count: UInt16
    }

    static let shared = GenAIKeyTable()

    private static let bits: UInt64 = 12
    private static let none = UInt8.max
    /// Of the keys of the vocabularies, in bytes.
    private static let maximumLength = 64
    private static let maximumTries = 1 << 20

    private let entries: [Entry]
    /// Of their keys.
    private let bytes: [UInt8]
    private let slots: [UInt8]
    private let factor: UInt64
    /// By the length of a key, which first and last bytes one of that length may have: nearly all other attributes are
    /// told by it.
    private let filters: [UInt64]

    private init() {
        var (entries, bytes): ([Entry], [UInt8]) = ([], [])
        let keys = GenAIAttribute.allCases.flatMap { attribute in
            attribute.keys.enumerated().map { rank, text in
                let key = AttributeKey(text)
                entries.append(
                    Entry(
                        attribute: attribute, rank: UInt8(rank), place: UInt16(bytes.count), count: UInt16(key.count)))
                bytes += key.bytes
                return key
            }
        }
        (self.entries, self.bytes) = (entries, bytes)
        precondition(entries.count < Self.none, "more keys than a slot can name")
        precondition(keys.allSatisfy { $0.count <= Self.maximumLength }, "a key that is never looked for")
        var factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var found: [UInt8]?
        for _ in 0..<Self.maximumTries where found == nil {
            factor = (factor &* 0x2545_F491_4F6C_DD1D) | 1
            found = Self.slots(keys, factor)
        }
        precondition(found != nil, "keys of the vocabularies that the hash cannot tell apart")
        slots = found ?? []
        self.factor = factor
        var filters = [UInt64](repeating: 0, count: Self.maximumLength + 1)
        for key in keys { key.bytes.withUnsafeBytes { filters[$0.count] |= Self.bit(of: $0) } }
        self.filters = filters
    }

    /// Nil where two of them share a slot.
    private static func slots(_ keys: [AttributeKey], _ factor: UInt64) -> [UInt8]? {
        var slots = [UInt8](repeating: none, count: 1 << Int(bits))
        for (index, key) in keys.enumerated() {
            let slot = key.bytes.withUnsafeBytes { self.slot(of: $0, factor) }
            guard slots[slot] == none else { return nil }
            slots[slot] = UInt8(index)
        }
        return slots
    }

    @inline(__always)
    private static func bit(of key: UnsafeRawBufferPointer) -> UInt64 {
        guard let first = key.first, let last = key.last else { return 0 }
        return 1 << UInt64((first &* 5 &+ last) & 63)
    }

    /// By the length, the first sixteen bytes and the last sixteen, which no two keys of the vocabularies share.
    @inline(__always)
    private static func slot(of key: UnsafeRawBufferPointer, _ factor: UInt64) -> Int {
        var mixed = UInt64(truncatingIfNeeded: key.count)
        if key.count >= 8 {
            let last = key.count - 8
            mixed &+= key.loadUnaligned(as: UInt64.self)
            mixed = mixed.turned &+ key.loadUnaligned(fromByteOffset: min(8, last), as: UInt64.self)
            mixed = mixed.turned &+ key.loadUnaligned(fromByteOffset: max(0, last - 8), as: UInt64.self)
            mixed = mixed.turned &+ key.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        } else {
            for byte in key { mixed = mixed << 8 | UInt64(byte) }
        }
        return Int(truncatingIfNeeded: ((mixed ^ (mixed >> 32)) &* factor) >> (64 - bits))
    }

    /// Which of up to 64 attributes may be of a vocabulary, or are Weir's own, a bit each.
    /// - Parameter isWhole: becomes false where one was removed or is empty.
    func candidates(in places: Range<Int>, of batch: borrowing Batch, _ isWhole: inout Bool) -> UInt64 {
        let start = batch.arena.pointee.attributes.base + places.lowerBound
        var (candidates, areAllThere): (UInt64, Bool) = (0, true)
        filters.withUnsafeBufferPointer { filters in
            for place in 0..<places.count {
                let attribute = start + place
                let key = batch.bytes(attribute.pointee.key)
                areAllThere = areAllThere && !attribute.pointee.isRemoved && attribute.pointee.kind != .empty
                guard key.count > 0 else { continue }
                let isKnown = key.count <= Self.maximumLength && filters[key.count] & Self.bit(of: key) != 0
                if isKnown || key[0] == UInt8(ascii: "w") { candidates |= 1 &<< UInt64(place) }
            }
        }
        isWhole = isWhole && areAllThere
        return candidates
    }

    @inline(__always)
    private func mayHave(_ key: UnsafeRawBufferPointer) -> Bool {
        key.count <= Self.maximumLength && filters[key.count] & Self.bit(of: key) != 0
    }

    /// Nil where the key is no part of any vocabulary.
    @inline(__always)
    func entry(of key: UnsafeRawBufferPointer) -> Entry? {
        mayHave(key) ? entry(ofCandidate: key) : nil
    }

    /// The same of one of the ``candidates(in:of:_:)``.
    @inline(__always)
    func entry(ofCandidate key: UnsafeRawBufferPointer) -> Entry? {
        let index = slots[Self.slot(of: key, factor)]
        guard index != Self.none else { return nil }
        let entry = entries[Int(index)]
        let isSame = bytes.withUnsafeBytes {
            let own = UnsafeRawBufferPointer(rebasing: $0[Int(entry.place)..<Int(entry.place) + Int(entry.count)])
            return AttributeKey.areEqual(own, key)
        }
        return isSame ? entry : nil
    }
}

extension UInt64 {
    fileprivate var turned: UInt64 { self << 23 | self >> 41 }
}

/// Which members of an object have a name that no other in front of them has.
///
/// RFC 8259: "The names within an object SHOULD be unique." Strict readers refuse the whole text where they are not.
private struct JSONNames {
    /// Up to here all are looked through.
    static let few = 64

    /// One of many: those may be made for a hash that is known.
    struct Name: Hashable {
        let text: JSONTree.Text

        static func == (one: Name, other: Name) -> Bool { one.text.isSame(as: other.text) }

        func hash(into hasher: inout Hasher) {
            text.withBytes { hasher.combine(bytes: $0) }
        }
    }

    private let hashes: UnsafeMutableBufferPointer<UInt64>
    private var count = 0
    /// A bit for each, which few others have.
    private var bits: UInt64 = 0

    /// - Parameter hashes: has room for all.
    init(in hashes: UnsafeMutableBufferPointer<UInt64>) {
        self.hashes = hashes
    }

    /// - Parameter name: of a name; they are asked about one after the other.
    mutating func isNew(_ name: (Int) -> JSONTree.Text) -> Bool {
        let hash = name(count).withBytes(Self.hash)
        let bit: UInt64 = 1 << (hash >> 58)
        defer {
            hashes[count] = hash
            count += 1
            bits |= bit
        }
        guard bits & bit != 0 else { return true }
        return !(0..<count).contains { hashes[$0] == hash && name($0).isSame(as: name(count)) }
    }

    /// Of the length and both ends, which is quick; whoever has the same is compared.
    @inline(__always)
    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        guard name.count >= 8 else { return name.reduce(UInt64(name.count)) { $0 << 8 | UInt64($1) } &* factor }
        let first = name.loadUnaligned(as: UInt64.self)
        let last = name.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self)
        return ((first &* factor) ^ last &+ UInt64(name.count)) &* factor
    }
}

extension JSONTree.Text {
    /// UTF-8 without escapes.
    @inline(__always)
    fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if case .plain(let bytes) = self { return body(bytes) }
        var text = string
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    fileprivate func isSame(as other: JSONTree.Text) -> Bool {
        withBytes { own in other.withBytes { AttributeKey.areEqual(own, $0) } }
    }
}

extension JSONWriter {
    /// `"key":value,` for each, the first of those that have a name together.
    /// - Parameter names: of members that stand in front of these.
    mutating func members(_ members: [JSONTree.Member], behind names: [StaticString] = []) {
        let before = names.count
        func name(_ index: Int) -> JSONTree.Text {
            index < before ? JSONTree.Text(names[index]) : members[index - before].key
        }
        let all = 0..<before + members.count
        guard all.count <= JSONNames.few else {
            var seen: Set<JSONNames.Name> = []
            seen.reserveCapacity(all.count)
            for index in all where seen.insert(JSONNames.Name(text: name(index))).inserted && index >= before {
                member(members[index - before].key, members[index - before].value)
            }
            return
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: all.count) { hashes in
            var known = JSONNames(in: hashes)
            for index in all where known.isNew(name) && index >= before {
                member(members[index - before].key, members[index - before].value)
            }
        }
    }
}

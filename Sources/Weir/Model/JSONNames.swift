/// Which members of an object have a name that no other in front of them has.
///
/// RFC 8259: "The names within an object SHOULD be unique." Strict readers refuse the whole text where they are not.
struct JSONNames {
    /// Up to here all are looked through.
    private static let few = 64

    private var hashes: [UInt64] = []
    private var many: Set<String> = []

    init() {}

    /// - Parameter index: of the next member; each is asked about once, in their order.
    mutating func isNew(_ index: Int, of members: [JSONTree.Member]) -> Bool {
        let key = members[index].key
        if members.count > Self.few { return many.insert(key.string).inserted }
        let hash = key.withBytes(Self.hash)
        defer { hashes.append(hash) }
        return !hashes.indices.contains { hashes[$0] == hash && members[$0].key.isSame(as: key) }
    }

    /// Of the length and both ends, which is quick; whoever has the same is compared.
    @inline(__always)
    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
        guard name.count >= 8 else { return name.reduce(UInt64(name.count)) { $0 << 8 | UInt64($1) } }
        let first = name.loadUnaligned(as: UInt64.self)
        let last = name.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self)
        return (first &* 0x9E37_79B9_7F4A_7C15) ^ last &+ UInt64(name.count)
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
    mutating func members(_ members: [JSONTree.Member]) {
        var names = JSONNames()
        for index in members.indices where members.count == 1 || names.isNew(index, of: members) {
            member(members[index].key, members[index].value)
        }
    }
}

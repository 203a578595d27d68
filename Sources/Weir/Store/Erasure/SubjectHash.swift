/// Makes of a subject's name what may be written down: it can be compared, and not be guessed without the key.
struct SubjectHash: Sendable {
    /// Bytes of a hash.
    static let size = 16

    /// Tells what was hashed with this key from what was hashed with others; sixteen hexadecimal digits.
    let keyID: String
    private let hash: KeyedHash
    private let head: [UInt8]

    init(key: [UInt8], tenant: String, _ family: SubjectFamily) {
        hash = KeyedHash(key: key)
        keyID = Self.id(of: key)
        var head = Array("weir erasure".utf8)
        for text in [tenant, family.name] {
            withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian) { head += $0 }
            head += text.utf8
        }
        self.head = head
    }

    static func id(of key: [UInt8]) -> String {
        let hash = Array("weir erasure key".utf8).withUnsafeBytes { KeyedHash(key: key).hash($0) }
        return Digest.hex(Array(hash.prefix(8)))
    }

    func session() -> KeyedHash.Session { hash.session() }

    func digest(of name: UnsafeRawBufferPointer, _ session: inout KeyedHash.Session) -> [UInt8] {
        let message = head + name
        return Array(message.withUnsafeBytes { session.hash($0) }.prefix(Self.size))
    }

    /// Of a hash, what filters are asked for.
    static func short(_ digest: [UInt8]) -> UInt64 { digest.withUnsafeBytes(short) }

    private static func short(_ digest: UnsafeRawBufferPointer) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The same of a name.
    /// - Parameter message: memory for the name and what stands before it.
    func short(
        of name: UnsafeRawBufferPointer, _ session: inout KeyedHash.Session, _ message: inout [UInt8]
    ) -> UInt64 {
        message.removeAll(keepingCapacity: true)
        message += head
        message += name
        return message.withUnsafeBytes { session.hash($0) { Self.short($0) } }
    }

    /// The same, for once.
    func digest(of name: [UInt8]) -> [UInt8] {
        var session = session()
        return name.withUnsafeBytes { digest(of: $0, &session) }
    }
}

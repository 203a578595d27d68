/// Makes of a subject's name what may be written down: it can be compared, and not be guessed without the key.
struct SubjectHash: Sendable {
    /// Bytes of a hash.
    static let size = 16

    private let hash: KeyedHash
    private let head: [UInt8]

    init(key: [UInt8], tenant: String, _ family: SubjectFamily) {
        hash = KeyedHash(key: key)
        var head = Array("weir erasure".utf8)
        for text in [tenant, family.name] {
            withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian) { head += $0 }
            head += text.utf8
        }
        self.head = head
    }

    func session() -> KeyedHash.Session { hash.session() }

    func digest(of name: UnsafeRawBufferPointer, _ session: inout KeyedHash.Session) -> [UInt8] {
        let message = head + name
        return Array(message.withUnsafeBytes { session.hash($0) }.prefix(Self.size))
    }

    /// The same, for once.
    func digest(of name: [UInt8]) -> [UInt8] {
        var session = session()
        return name.withUnsafeBytes { digest(of: $0, &session) }
    }
}

import CLibraries

/// 256 bits that nobody is shown: the memory is overwritten before it is given back, and no text is made of it.
// Sendable: the bytes are written before `init` returns and never again; only `deinit` touches them then.
final class SecretKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    /// Bytes.
    static let size = 32

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)

    /// A key that was never used before.
    /// - Returns: nil where OpenSSL has no randomness.
    static func random() -> SecretKey? {
        let key = SecretKey()
        return RAND_priv_bytes(key.start, Int32(size)) == 1 ? key : nil
    }

    /// - Parameter bytes: ``size`` of them.
    init(copying bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == Self.size, "a key of \(bytes.count) bytes, wanted \(Self.size)")
        memory.copyMemory(from: bytes)
    }

    private init() {}

    /// Fills a key with what `fill` writes.
    /// - Returns: nil where `fill` says that it did not.
    static func filled(by fill: (UnsafeMutablePointer<UInt8>) -> Bool) -> SecretKey? {
        let key = SecretKey()
        guard let start = key.start, fill(start) else { return nil }
        return key
    }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }

    private var start: UnsafeMutablePointer<UInt8>? {
        memory.assumingMemoryBound(to: UInt8.self).baseAddress
    }

    /// Holds as long as the key.
    var bytes: UnsafePointer<UInt8>? { start.map { UnsafePointer($0) } }

    /// HMAC-SHA256 (RFC 2104) with this key.
    /// - Returns: 32 bytes; none where OpenSSL has no memory.
    func authenticate(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 64) { hash, count in
            var length: UInt32 = 0
            let result = HMAC(EVP_sha256(), start, Int32(Self.size), message, message.count, hash.baseAddress, &length)
            count = result == nil ? 0 : Int(length)
        }
    }

    /// A key that is made of this one: HKDF-Expand with SHA-256 (RFC 5869, 2.3), this key as the pseudorandom key.
    /// - Returns: nil where OpenSSL has no memory.
    func expanded(_ info: [UInt8]) -> SecretKey? {
        // A SHA-256 is as long as a key, so the first block is the whole of it.
        let message = info + [1]
        return Self.filled { room in
            var length: UInt32 = 0
            return HMAC(EVP_sha256(), start, Int32(Self.size), message, message.count, room, &length) != nil
        }
    }

    var description: String { "a secret key" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

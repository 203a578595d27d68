import CLibraries

/// Encrypts values. Each lane owns one.
struct EnvelopeWriter: ~Copyable {
    /// A data key, ready to encrypt with.
    struct Key {
        let id: UInt64
        let cipher: Cipher

        /// - Returns: nil where OpenSSL has no memory.
        init?(id: UInt64, _ suite: CipherSuite, _ secret: SecretKey) {
            guard let cipher = Cipher(suite, key: secret, .encrypt) else { return nil }
            self.id = id
            self.cipher = cipher
        }
    }

    private var nonces = NoncePool()
    private var sealed = RecordBuffer<UInt8>(capacity: 4096, limit: Envelope.maxPlaintext + 4096)

    /// Characters that a value of so many bytes becomes.
    static func length(of plaintext: Int, _ suite: CipherSuite) -> Int {
        Envelope.prefix.utf8CodeUnitCount
            + weir_base64url_length(Envelope.headerSize + suite.nonceSize + plaintext + CipherSuite.tagSize)
    }

    /// Encrypts the value, and keeps the result for ``write(to:)``.
    /// - Parameter kind: nil for a piece of a JSON text.
    /// - Returns: how many characters the envelope has; nil where OpenSSL refuses.
    @inline(__always)
    mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, _ kind: ValueKind?, _ key: Key, at address: inout FieldAddress,
        path: FieldAddress.Path
    ) -> Int? {
        let suite = key.cipher.suite
        let head = Envelope.headerSize + suite.nonceSize
        sealed.count = 0
        sealed.reserve(head + plaintext.count + CipherSuite.tagSize)
        guard !sealed.isOverfull, let nonce = nonces.next(suite) else { return nil }
        NonceCheck.note(key.id, nonce, suite.nonceSize)
        let start = sealed.base
        start[0] = Envelope.magic
        start[1] = suite.rawValue
        start[2] = kind?.rawValue ?? Envelope.json
        UnsafeMutableRawPointer(start).storeBytes(of: key.id.bigEndian, toByteOffset: 3, as: UInt64.self)
        (start + Envelope.headerSize).update(from: nonce, count: suite.nonceSize)
        let additional = address.finish(path, header: start)
        guard key.cipher.seal(plaintext, nonce: start + Envelope.headerSize, additional: additional, to: start + head)
        else { return nil }
        sealed.count = head + plaintext.count + CipherSuite.tagSize
        return Self.length(of: plaintext.count, suite)
    }

    /// Writes the envelope that was made last.
    @inline(__always)
    func write(to target: UnsafeMutablePointer<UInt8>) {
        target.update(from: Envelope.prefix.utf8Start, count: Envelope.prefix.utf8CodeUnitCount)
        weir_base64url_encode(sealed.base, sealed.count, target + Envelope.prefix.utf8CodeUnitCount)
    }

    /// Gives back what one large value had made it take.
    mutating func reset() {
        sealed.reset(keeping: Batch.retained)
    }
}

import CLibraries

/// An encrypted record of a journal: as ``Envelope``, with the kind 0 and without the text around it.
enum RecordEnvelope {
    private static let suite = CipherSuite.xaes256gcm
    private static let head = Envelope.headerSize + suite.nonceSize

    /// - Parameter binding: what the record is bound to; the header of the envelope is added.
    /// - Returns: nil where OpenSSL refuses.
    static func seal(_ plaintext: Payload, _ keyID: UInt64, _ key: SecretKey, _ binding: [UInt8]) -> Payload? {
        guard let cipher = Cipher(suite, key: key, .encrypt) else { return nil }
        var builder = PayloadBuilder(capacity: head + plaintext.count + CipherSuite.tagSize)
        guard let start = builder.unused.assumingMemoryBound(to: UInt8.self).baseAddress,
            RAND_bytes(start + Envelope.headerSize, Int32(suite.nonceSize)) == 1
        else { return nil }
        start[0] = Envelope.magic
        start[1] = suite.rawValue
        start[2] = 0
        UnsafeMutableRawPointer(start).storeBytes(of: keyID.bigEndian, toByteOffset: 3, as: UInt64.self)
        NonceCheck.note(keyID, start + Envelope.headerSize, suite.nonceSize)
        let additional = binding + UnsafeBufferPointer(start: start, count: Envelope.headerSize)
        let isDone = additional.withUnsafeBytes {
            cipher.seal(plaintext.bytes, nonce: start + Envelope.headerSize, additional: $0, to: start + head)
        }
        guard isDone else { return nil }
        builder.count = head + plaintext.count + CipherSuite.tagSize
        return builder.finish()
    }

    /// - Returns: nil where it is no such envelope.
    static func keyID(of payload: Payload) -> UInt64? {
        let bytes = payload.bytes
        guard bytes.count >= head + CipherSuite.tagSize, bytes[0] == Envelope.magic, bytes[1] == suite.rawValue,
            bytes[2] == 0
        else { return nil }
        return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 3, as: UInt64.self))
    }

    /// - Returns: nil where it is not what was sealed for this record.
    static func open(_ payload: Payload, _ key: SecretKey, _ binding: [UInt8]) -> Payload? {
        guard keyID(of: payload) != nil, let cipher = Cipher(suite, key: key, .decrypt),
            let start = payload.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        else { return nil }
        let additional = binding + UnsafeBufferPointer(start: start, count: Envelope.headerSize)
        let sealed = UnsafeRawBufferPointer(rebasing: payload.bytes[head...])
        var builder = PayloadBuilder(capacity: sealed.count)
        guard let room = builder.unused.assumingMemoryBound(to: UInt8.self).baseAddress else { return nil }
        let isSound = additional.withUnsafeBytes {
            cipher.open(sealed, nonce: start + Envelope.headerSize, additional: $0, to: room)
        }
        guard isSound else { return nil }
        builder.count = sealed.count - CipherSuite.tagSize
        return builder.finish()
    }
}

import CLibraries

/// An encrypted value as it stands in a batch, a database and an archive: a text that names how it was encrypted and
/// with which data key. docs/encryption.md describes it for those who write a reader of their own.
struct Envelope {
    /// What each begins with; the digit is the version.
    static let prefix: StaticString = "weir1."
    static let magic: UInt8 = 0xE7
    /// The magic byte, suite, kind, and eight bytes of the key's id.
    static let headerSize = 11
    /// Characters that it is the beginning of.
    private static let headDigits = 16
    /// Values that are longer stay what they are: no request is.
    static let maxPlaintext = 1 << 30

    /// In the place of a kind: the plaintext is a piece of a JSON text.
    static let json: UInt8 = 0x4A

    let suite: CipherSuite
    /// Of the value; nil for a piece of a JSON text.
    let kind: ValueKind?
    let keyID: UInt64
    /// Everything behind the prefix, decoded.
    private let bytes: [UInt8]

    @inline(__always)
    static func hasPrefix(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count > prefix.utf8CodeUnitCount
            && (0..<prefix.utf8CodeUnitCount).allSatisfy { text[$0] == prefix.utf8Start[$0] }
    }

    /// Whether the text is one, under whatever key. One that only begins like it is a text like any other.
    static func isWhole(_ text: UnsafeRawBufferPointer) -> Bool { hasPrefix(text) && Envelope(text) != nil }

    /// Whether the text, or one that stands in it, may be one.
    static func mayStand(in text: UnsafeRawBufferPointer) -> Bool { next(in: text, from: 0) != nil }

    /// Where the next text begins that looks like one.
    private static func next(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = text.baseAddress, start < text.count else { return nil }
        let place = weir_find(base + start, text.count - start, prefix.utf8Start, prefix.utf8CodeUnitCount)
        return place < 0 ? nil : start + place
    }

    /// Calls `body` with the id of the key of each that stands anywhere in the bytes, whatever those are. What only
    /// looks like one may be among them.
    static func forEachKeyID(in bytes: UnsafeRawBufferPointer, _ body: (UInt64) -> Void) {
        var at = 0
        var head: (UInt64, UInt64) = (0, 0)
        while let start = next(in: bytes, from: at) {
            at = start + prefix.utf8CodeUnitCount
            guard bytes.count - at >= headDigits else { return }
            withUnsafeMutableBytes(of: &head) { head in
                let digits = bytes.baseAddress.map { $0 + at }
                guard weir_base64url_decode(digits, headDigits, head.baseAddress) >= headerSize, head[0] == magic,
                    CipherSuite(rawValue: head[1]) != nil
                else { return }
                body(head[3..<headerSize].reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
    }

    /// - Returns: nil where the text is no envelope.
    init?(_ text: UnsafeRawBufferPointer) {
        guard Self.hasPrefix(text) else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: text[Self.prefix.utf8CodeUnitCount...])
        var isSound = false
        bytes = [UInt8](unsafeUninitializedCapacity: body.count * 3 / 4 + 3) { bytes, count in
            let length = weir_base64url_decode(body.baseAddress, body.count, bytes.baseAddress)
            isSound = length >= 0
            count = max(0, length)
        }
        guard isSound, bytes.count >= Self.headerSize, bytes[0] == Self.magic,
            let suite = CipherSuite(rawValue: bytes[1]),
            bytes.count >= Self.headerSize + suite.nonceSize + CipherSuite.tagSize
        else { return nil }
        let kind = ValueKind(rawValue: bytes[2])
        guard bytes[2] == Self.json || kind != nil && kind != .empty else { return nil }
        self.suite = suite
        self.kind = kind
        keyID = bytes[3..<Self.headerSize].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// - Parameter cipher: of the key with the id.
    /// - Returns: the value's bytes, as ``EnvelopeWriter`` took them; nil where the envelope is not what was written,
    ///   or stands where it was not written.
    func open(_ cipher: Cipher, at address: inout FieldAddress, path: FieldAddress.Path) -> [UInt8]? {
        guard cipher.suite == suite else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return nil }
            let additional = address.finish(path, header: start)
            let body = Self.headerSize + suite.nonceSize
            let sealed = UnsafeRawBufferPointer(start: start + body, count: bytes.count - body)
            var isSound = false
            let plaintext = [UInt8](unsafeUninitializedCapacity: sealed.count) { target, count in
                guard let target = target.baseAddress else { return }
                isSound = cipher.open(sealed, nonce: start + Self.headerSize, additional: additional, to: target)
                count = isSound ? sealed.count - CipherSuite.tagSize : 0
            }
            return isSound ? plaintext : nil
        }
    }
}

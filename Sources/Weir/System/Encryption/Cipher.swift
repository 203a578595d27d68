import CLibraries

/// A cipher with its key set, for one direction. Setting a key costs more than encrypting a short value, so it is kept;
/// each lane owns its own.
final class Cipher {
    enum Direction: Int32 {
        case decrypt = 0
        case encrypt = 1
    }

    /// OpenSSL's algorithms, looked up once: doing so for each message would cost three times the message.
    // Sendable: OpenSSL counts references to a fetched algorithm atomically and never changes it.
    private struct Methods: @unchecked Sendable {
        let gcm = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
        let ecb = EVP_CIPHER_fetch(nil, "AES-256-ECB", nil)
    }

    private static let methods = Methods()

    let suite: CipherSuite
    private let isEncrypting: Bool
    private let key: SecretKey
    private let gcm: OpaquePointer
    /// Of XAES-256-GCM: makes the key of a message.
    private let ecb: OpaquePointer?
    /// Four times 16 bytes: the two blocks that a message's key is made from, and the key.
    private let room = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    /// K1 of XAES-256-GCM, as it stands in memory.
    private var mask: (UInt64, UInt64) = (0, 0)
    /// The first half of the nonce whose message key is set: to make and set one costs as much as a hundred bytes.
    private var series: (UInt64, UInt32)?

    /// - Returns: nil where OpenSSL has no memory or no AES-256-GCM.
    init?(_ suite: CipherSuite, key: SecretKey, _ direction: Direction) {
        guard let gcm = EVP_CIPHER_CTX_new() else { return nil }
        self.suite = suite
        self.key = key
        self.gcm = gcm
        isEncrypting = direction == .encrypt
        ecb = suite == .xaes256gcm ? EVP_CIPHER_CTX_new() : nil
        let own = suite == .aes256gcm ? key.bytes : nil
        guard EVP_CipherInit_ex2(gcm, Self.methods.gcm, own, nil, direction.rawValue, nil) == 1 else { return nil }
        if suite == .xaes256gcm, !makeMask() { return nil }
    }

    deinit {
        EVP_CIPHER_CTX_free(gcm)
        EVP_CIPHER_CTX_free(ecb)
        OPENSSL_cleanse(room, 64)
        room.deallocate()
    }

    /// - Parameters:
    ///   - nonce: `suite.nonceSize` bytes.
    ///   - target: has room for the plaintext and the tag.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>, additional: UnsafeRawBufferPointer,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var unused: Int32 = 0
        let end = target + plaintext.count
        return start(nonce, additional) && update(plaintext, target) && EVP_CipherFinal_ex(gcm, end, &unused) == 1
            && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, Int32(CipherSuite.tagSize), end) == 1
    }

    /// - Parameters:
    ///   - sealed: ciphertext and tag.
    ///   - target: has room for the plaintext. Where the answer is no, what stands there means nothing.
    /// - Returns: whether it is what was sealed with this key, nonce and additional data.
    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafePointer<UInt8>, additional: UnsafeRawBufferPointer,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let length = sealed.count - CipherSuite.tagSize
        guard length >= 0, let base = sealed.baseAddress else { return false }
        var unused: Int32 = 0
        let tag = UnsafeMutableRawPointer(mutating: base + length)
        return start(nonce, additional) && update(UnsafeRawBufferPointer(start: base, count: length), target)
            && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, Int32(CipherSuite.tagSize), tag) == 1
            && EVP_CipherFinal_ex(gcm, target + length, &unused) == 1
    }

    @inline(__always)
    private func start(_ nonce: UnsafePointer<UInt8>, _ additional: UnsafeRawBufferPointer) -> Bool {
        var unused: Int32 = 0
        let isSet = suite == .xaes256gcm ? setMessageKey(nonce) : set(nil, nonce)
        let data = additional.assumingMemoryBound(to: UInt8.self).baseAddress
        return isSet && EVP_CipherUpdate(gcm, nil, &unused, data, Int32(additional.count)) == 1
    }

    @inline(__always)
    private func set(_ key: UnsafePointer<UInt8>?, _ nonce: UnsafePointer<UInt8>) -> Bool {
        EVP_CipherInit_ex2(gcm, nil, key, nonce, -1, nil) == 1
    }

    @inline(__always)
    private func update(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutablePointer<UInt8>) -> Bool {
        // Without a source OpenSSL would take the call for one about additional data.
        guard source.count > 0 else { return true }
        var unused: Int32 = 0
        let start = source.assumingMemoryBound(to: UInt8.self).baseAddress
        return EVP_CipherUpdate(gcm, target, &unused, start, Int32(source.count)) == 1
    }

    // MARK: XAES-256-GCM

    // C2SP, XAES-256-GCM: "L = AES-256ₖ(0¹²⁸); if MSB₁(L) = 0, then K1 = L << 1; else K1 = (L << 1) ⊕ 0¹²⁰10000111;
    // M1 = 0x00 || 0x01 || X || 0x00 || N[:12]; M2 = 0x00 || 0x02 || X || 0x00 || N[:12];
    // Kₓ = AES-256ₖ(M1 ⊕ K1) || AES-256ₖ(M2 ⊕ K1); Nₓ = N[12:]".

    private func makeMask() -> Bool {
        guard let ecb, EVP_CipherInit_ex2(ecb, Self.methods.ecb, key.bytes, nil, 1, nil) == 1 else { return false }
        EVP_CIPHER_CTX_set_padding(ecb, 0)
        room.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
        guard encryptBlocks(1) else { return false }
        let high = UInt64(bigEndian: room.load(fromByteOffset: 32, as: UInt64.self))
        let low = UInt64(bigEndian: room.load(fromByteOffset: 40, as: UInt64.self))
        mask.0 = (high << 1 | low >> 63).bigEndian
        mask.1 = (low << 1 ^ (high >> 63 == 0 ? 0 : 0x87)).bigEndian
        return true
    }

    @inline(__always)
    private func setMessageKey(_ nonce: UnsafePointer<UInt8>) -> Bool {
        let source = UnsafeRawPointer(nonce)
        let half = (source.loadUnaligned(as: UInt64.self), source.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        if let series, series == half { return set(nil, nonce + 12) }
        guard let key = messageKey(nonce), set(key, nonce + 12) else {
            series = nil
            return false
        }
        series = half
        return true
    }

    private func messageKey(_ nonce: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        let source = UnsafeRawPointer(nonce)
        let first = UInt64(source.loadUnaligned(as: UInt32.self).littleEndian) << 32
        let second = source.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
        room.storeBytes(of: (first | 0x0058_0100).littleEndian ^ mask.0, as: UInt64.self)
        room.storeBytes(of: second ^ mask.1, toByteOffset: 8, as: UInt64.self)
        room.storeBytes(of: (first | 0x0058_0200).littleEndian ^ mask.0, toByteOffset: 16, as: UInt64.self)
        room.storeBytes(of: second ^ mask.1, toByteOffset: 24, as: UInt64.self)
        guard encryptBlocks(2) else { return nil }
        return UnsafePointer((room + 32).assumingMemoryBound(to: UInt8.self))
    }

    @inline(__always)
    private func encryptBlocks(_ count: Int32) -> Bool {
        var unused: Int32 = 0
        let source = room.assumingMemoryBound(to: UInt8.self)
        return EVP_CipherUpdate(ecb, source + 32, &unused, source, 16 * count) == 1
    }
}

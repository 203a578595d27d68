import CLibraries

/// AES Key Wrap (RFC 3394) of one 256-bit key with another.
enum KeyWrap {
    /// Bytes of a wrapped key.
    static let size = SecretKey.size + 8

    /// - Returns: nil where OpenSSL has no memory.
    static func wrap(_ key: SecretKey, with outer: SecretKey) -> [UInt8]? {
        guard let start = key.bytes else { return nil }
        var wrapped = [UInt8](repeating: 0, count: size + 8)
        guard run(.encrypt, outer, start, SecretKey.size, &wrapped) == size else { return nil }
        return Array(wrapped.prefix(size))
    }

    /// - Returns: nil where `outer` is not the key that it was wrapped with.
    static func unwrap(_ wrapped: [UInt8], with outer: SecretKey) -> SecretKey? {
        guard wrapped.count == size else { return nil }
        // OpenSSL writes as much as it read before it knows.
        var room = [UInt8](repeating: 0, count: size + 8)
        defer { OPENSSL_cleanse(&room, room.count) }
        guard run(.decrypt, outer, wrapped, size, &room) == SecretKey.size else { return nil }
        return room.withUnsafeBytes { SecretKey(copying: UnsafeRawBufferPointer(rebasing: $0[..<SecretKey.size])) }
    }

    private static func run(
        _ direction: Cipher.Direction, _ key: SecretKey, _ source: UnsafePointer<UInt8>, _ count: Int,
        _ target: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        // EVP_EncryptInit(3): the mode has to be allowed, since it is none to encrypt data with.
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        var length: Int32 = 0
        var rest: Int32 = 0
        guard EVP_CipherInit_ex2(context, EVP_aes_256_wrap(), key.bytes, nil, direction.rawValue, nil) == 1,
            EVP_CipherUpdate(context, target, &length, source, Int32(count)) == 1,
            EVP_CipherFinal_ex(context, target + Int(length), &rest) == 1
        else { return nil }
        return Int(length + rest)
    }
}

import CLibraries

/// Tells requests apart by 128 bits, so that one that is sent again is known. Each event loop owns one.
///
/// It is GMAC (NIST SP 800-38D) with one nonce for all. Without the key nobody can make two requests of one hash:
/// whatever bodies somebody chooses, two of `n` blocks of 16 bytes meet with a probability of at most `(n + 3) / 2^128`
/// over the choice of the key. That holds as long as no hash is shown to anybody: with one nonce for two messages,
/// their two hashes give the key of the sum away. What a client can learn, that a request was or was not sent before,
/// is one more try at that probability.
struct RequestHash: ~Copyable {
    /// Bytes.
    static let keySize = 32

    /// With the key set, which costs more than a short body.
    private let context: OpaquePointer

    /// - Parameter key: ``keySize`` bytes from a random generator made for secrets.
    init(key: [UInt8]) throws(RequestHashError) {
        precondition(key.count == Self.keySize, "a key of \(key.count) bytes, wanted \(Self.keySize)")
        guard let context = EVP_CIPHER_CTX_new() else { throw RequestHashError() }
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nil) == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw RequestHashError()
        }
        self.context = context
    }

    deinit {
        EVP_CIPHER_CTX_free(context)
    }

    /// - Parameter prefix: what else makes a request another one, such as its tenant. Where it ends counts as well.
    mutating func hash(prefix: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        let nonce: (UInt64, UInt32) = (0, 0)
        var hash: (UInt64, UInt64) = (0, 0)
        var unused: Int32 = 0
        withUnsafeBytes(of: nonce) { nonce in
            let bytes = nonce.assumingMemoryBound(to: UInt8.self).baseAddress
            check(EVP_EncryptInit_ex(context, nil, nil, nil, bytes))
        }
        withUnsafeBytes(of: prefix.count) { add($0) }
        add(prefix)
        add(body)
        withUnsafeMutableBytes(of: &hash) { hash in
            check(EVP_EncryptFinal_ex(context, hash.assumingMemoryBound(to: UInt8.self).baseAddress, &unused))
            check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(hash.count), hash.baseAddress))
        }
        return hash
    }

    /// OpenSSL counts a piece in 31 bits, so a longer one goes in slices.
    private func add(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        var unused: Int32 = 0
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            let start = piece.assumingMemoryBound(to: UInt8.self).baseAddress
            check(EVP_EncryptUpdate(context, nil, &unused, start, Int32(piece.count)))
            rest = rest.dropFirst(piece.count)
        }
    }

    /// With the key set nothing allocates, so only a wrong order of calls fails.
    private func check(_ result: Int32) {
        precondition(result == 1, "OpenSSL refuses to sum")
    }
}

/// OpenSSL has no memory, or was built or configured without AES-GCM.
struct RequestHashError: Error, Equatable, CustomStringConvertible {
    let description = "OpenSSL gives no AES-256-GCM"
}

import CLibraries

/// A key that checks signatures of one algorithm of JSON Web Signatures (RFC 7518), and of no other: whoever shows it a
/// signature does not choose how it is checked.
// Sendable: OpenSSL changes nothing of a key that only verifies, and counts references atomically; `deinit` frees it.
final class SignatureKey: @unchecked Sendable {
    enum Algorithm: String, CaseIterable, Sendable {
        /// HMAC with SHA-256.
        case hs256 = "HS256"
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = "RS256"
        /// ECDSA with P-256 and SHA-256.
        case es256 = "ES256"
    }

    let algorithm: Algorithm
    private let secret: KeyedHash?
    private let publicKey: OpaquePointer?

    /// RFC 7518 3.2: "A key of the same size as the hash output … or larger MUST be used".
    static let minimumSecret = 32
    /// RFC 7518 3.3: "A key of size 2048 bits or larger MUST be used". Much larger ones cost much for each token.
    static let modulusBytes = 256...1_024
    static let exponentBytes = 1...8

    /// Nil where the secret is too short.
    init?(secret: [UInt8]) {
        guard secret.count >= Self.minimumSecret else { return nil }
        algorithm = .hs256
        self.secret = KeyedHash(key: secret)
        publicKey = nil
    }

    /// An RSA key by its numbers, in big-endian order. Nil where they are none, or too small or large.
    init?(modulus: [UInt8], exponent: [UInt8]) {
        let modulus = Array(modulus.drop { $0 == 0 })
        guard Self.modulusBytes.contains(modulus.count), modulus[0] & 0x80 != 0 || modulus.count > 256,
            Self.exponentBytes.contains(exponent.count), let last = exponent.last, last & 1 == 1, exponent != [1]
        else { return nil }
        let numbers = DER.sequence(DER.integer(modulus) + DER.integer(exponent))
        guard let key = Self.read(DER.sequence(DER.rsaAlgorithm + DER.bits(numbers))) else { return nil }
        (algorithm, secret, publicKey) = (.rs256, nil, key)
    }

    /// A point of P-256 by its coordinates of 32 bytes each. Nil where it is not on the curve.
    init?(x: [UInt8], y: [UInt8]) {
        guard x.count == 32, y.count == 32,
            let key = Self.read(DER.sequence(DER.p256Algorithm + DER.bits([4] + x + y)))
        else { return nil }
        (algorithm, secret, publicKey) = (.es256, nil, key)
    }

    deinit {
        EVP_PKEY_free(publicKey)
    }

    /// Whether `signature` is one of this key for `bytes`.
    func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        switch algorithm {
        case .hs256:
            let wanted = bytes.withUnsafeBytes { secret?.hash($0) } ?? []
            return !wanted.isEmpty && Digest.areEqual(wanted, signature)
        case .rs256: return verifies(encoded: signature, bytes)
        case .es256:
            // RFC 7518 3.4: R and S of 32 bytes each, one behind the other.
            guard signature.count == 64 else { return false }
            let numbers = DER.integer(Array(signature[..<32])) + DER.integer(Array(signature[32...]))
            return verifies(encoded: DER.sequence(numbers), bytes)
        }
    }

    private func verifies(encoded signature: [UInt8], _ bytes: [UInt8]) -> Bool {
        let context = EVP_MD_CTX_new()
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, publicKey) == 1
            && EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }

    /// A SubjectPublicKeyInfo, RFC 5280 4.1.
    private static func read(_ der: [UInt8]) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_PUBKEY(nil, &next, buffer.count)
        }
    }
}

/// The few things of DER (X.690) that a public key is written with.
private enum DER {
    static let rsaAlgorithm: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
    static let p256Algorithm: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
        0x03, 0x01, 0x07,
    ]

    static func sequence(_ content: [UInt8]) -> [UInt8] { value(0x30, content) }

    static func bits(_ content: [UInt8]) -> [UInt8] { value(0x03, [0] + content) }

    /// Of a number without a sign.
    static func integer(_ number: [UInt8]) -> [UInt8] {
        let digits = Array(number.drop { $0 == 0 })
        return value(0x02, (digits.first ?? 0x80) & 0x80 == 0 ? digits : [0] + digits)
    }

    private static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 0x80 { return [tag, UInt8(count)] + content }
        if count < 0x100 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 0xFF)] + content
    }
}

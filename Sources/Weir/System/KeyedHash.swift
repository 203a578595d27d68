import CLibraries

/// HMAC (RFC 2104) with a key that nobody else has: what was hashed can be compared, and not be guessed.
struct KeyedHash: Sendable {
    enum Algorithm: String, CaseIterable, Sendable {
        case sha256 = "hmac-sha256"
        case sha512 = "hmac-sha512"
    }

    private let key: [UInt8]
    private let algorithm: Algorithm

    init(key: [UInt8], _ algorithm: Algorithm = .sha256) {
        self.key = key
        self.algorithm = algorithm
    }

    /// - Returns: 32 or 64 bytes; none where OpenSSL has no memory.
    func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let method = algorithm == .sha256 ? EVP_sha256() : EVP_sha512()
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        guard HMAC(method, key, Int32(key.count), start, bytes.count, &hash, &length) != nil else { return [] }
        return Array(hash[..<Int(length)])
    }
}

import CLibraries

/// HMAC (RFC 2104) with a key that nobody else has: what was hashed can be compared, and not be guessed.
struct KeyedHash: Sendable {
    enum Algorithm: String, CaseIterable, Sendable {
        case sha256 = "SHA256"
        case sha512 = "SHA512"
    }

    /// OpenSSL's context with the key set, which costs more than a short text.
    fileprivate final class Context {
        let pointer: OpaquePointer?

        init(_ key: [UInt8], _ algorithm: Algorithm) {
            let method = EVP_MAC_fetch(nil, "HMAC", nil)
            defer { EVP_MAC_free(method) }
            let context = EVP_MAC_CTX_new(method)
            var name = Array(algorithm.rawValue.utf8CString)
            let count = name.count - 1
            let isSet = name.withUnsafeMutableBufferPointer { name in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, count),
                    OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, key, key.count, parameters) == 1
            }
            if !isSet { EVP_MAC_CTX_free(context) }
            pointer = isSet ? context : nil
        }

        deinit {
            EVP_MAC_CTX_free(pointer)
        }
    }

    private let key: [UInt8]
    private let algorithm: Algorithm

    init(key: [UInt8], _ algorithm: Algorithm = .sha256) {
        self.key = key
        self.algorithm = algorithm
    }

    /// One that keeps OpenSSL's context from one text to the next. Each lane owns its own.
    struct Session: ~Copyable {
        private let context: Context

        fileprivate init(_ context: Context) {
            self.context = context
        }

        /// - Parameter body: gets 32 or 64 bytes; none where OpenSSL has no memory.
        mutating func hash<Result>(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result)
            -> Result
        {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { hash in
                let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
                var count = 0
                if let pointer = context.pointer, EVP_MAC_init(pointer, nil, 0, nil) == 1,
                    EVP_MAC_update(pointer, start, bytes.count) == 1,
                    EVP_MAC_final(pointer, hash.baseAddress, &count, hash.count) != 1
                {
                    count = 0
                }
                return body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(hash)[..<count]))
            }
        }

        /// - Returns: 32 or 64 bytes; none where OpenSSL has no memory.
        mutating func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
            hash(bytes) { Array($0) }
        }
    }

    func session() -> Session {
        Session(Context(key, algorithm))
    }

    /// The same, for once.
    func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var session = session()
        return session.hash(bytes)
    }
}

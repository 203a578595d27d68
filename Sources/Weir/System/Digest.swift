import CLibraries
import Glibc

/// Hashes of short texts.
enum Digest {
    enum Algorithm: String, CaseIterable, Sendable {
        case md5, sha1, sha3, sha256

        fileprivate var method: OpaquePointer? {
            switch self {
            case .md5: EVP_md5()
            case .sha1: EVP_sha1()
            case .sha3: EVP_sha3_256()
            case .sha256: EVP_sha256()
            }
        }
    }

    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash($0, .sha256) }
    }

    /// A SHA-256 that grows.
    final class Running {
        private let context: OpaquePointer

        /// Nil only for want of memory.
        init?() {
            guard let context = EVP_MD_CTX_new() else { return nil }
            self.context = context
            guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
        }

        deinit {
            EVP_MD_CTX_free(context)
        }

        func append(_ bytes: [UInt8]) {
            EVP_DigestUpdate(context, bytes, bytes.count)
        }

        /// Once, at the end.
        func finish() -> [UInt8] {
            var hash = [UInt8](repeating: 0, count: 32)
            EVP_DigestFinal_ex(context, &hash, nil)
            return hash
        }
    }

    /// Base64 with padding (RFC 4648, section 4).
    static func base64(_ bytes: [UInt8]) -> String {
        let text = [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { text, count in
            count = Int(EVP_EncodeBlock(text.baseAddress, bytes, Int32(bytes.count)))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Lower-case digits.
    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { $0.digits(2, radix: 16) }.joined()
    }

    /// Whether two hashes are equal, in a time that does not tell how much of them is.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// MD5 may be switched off in OpenSSL's configuration; nothing is returned then.
    static func hash(_ bytes: UnsafeRawBufferPointer, _ algorithm: Algorithm) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_Digest(bytes.baseAddress, bytes.count, &hash, &length, algorithm.method, nil) == 1 else { return [] }
        return Array(hash[..<Int(length)])
    }
}

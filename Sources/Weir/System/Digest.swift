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

    /// Of all that a file holds.
    static func sha256(ofFile path: String) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        // Fails only for want of memory.
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw FileError("read", path, code: ENOMEM) }
        while true {
            let bytes = try reader.next(upTo: 1 << 20)
            guard !bytes.isEmpty else { break }
            EVP_DigestUpdate(context, bytes, bytes.count)
        }
        var hash = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &hash, nil)
        return hash
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

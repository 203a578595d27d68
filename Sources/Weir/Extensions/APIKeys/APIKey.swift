/// A key as Weir knows it: by its hash. Or a certificate, by one of its names.
///
/// One round of SHA-256 is right for what `weir api-key new` makes, 256 random bits, which nobody can guess however
/// fast the hash is. Slow hashes are for passwords that people think of; here each request would pay for one.
struct APIKey: Sendable {
    static let hashSize = 32

    enum Proof: Sendable, Hashable {
        case hash([UInt8])
        /// A name as ``ClientCertificate`` has it.
        case certificate(String)

        /// Where it stands in a file.
        var field: String {
            switch self {
            case .hash: "sha256"
            case .certificate: "certificate"
            }
        }
    }

    let proof: Proof
    let identity: Identity

    static func hash(of key: String) -> [UInt8] { Digest.sha256(Array(key.utf8)) }

    /// A new key. What it begins with makes it known to whoever looks for secrets in texts.
    static func draw() -> String {
        var generator = SystemRandomNumberGenerator()
        return "weir_"
            + (0..<hashSize).map { _ in UInt8.random(in: .min ... .max, using: &generator).digits(2, radix: 16) }
            .joined()
    }
}

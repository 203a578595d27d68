/// Finds who has a key.
struct APIKeyTable: Sendable {
    /// By the first bytes of the hash, which a stranger cannot choose: to find a key whose hash begins like one of
    /// these brings nobody nearer to that one. In a bucket, hashes are compared in constant time.
    private var buckets: [ArraySlice<UInt8>: [(hash: [UInt8], identity: Identity)]] = [:]
    /// By the name that an entry wants of a certificate.
    private var certificates: [String: Identity] = [:]

    init(_ keys: [APIKey]) {
        for key in keys {
            switch key.proof {
            case .hash(let hash): buckets[Self.bucket(of: hash), default: []].append((hash, key.identity))
            case .certificate(let name): certificates[name] = key.identity
            }
        }
    }

    /// The authority has vouched for every name, so any of them will do; the first counts.
    func identity(of certificate: ClientCertificate) -> Identity? {
        certificate.names.lazy.compactMap { certificates[$0] }.first
    }

    func identity(of key: String) -> Identity? {
        let hash = APIKey.hash(of: key)
        var found: Identity?
        for candidate in buckets[Self.bucket(of: hash)] ?? [] where Digest.areEqual(candidate.hash, hash) {
            found = candidate.identity
        }
        return found
    }

    private static func bucket(of hash: [UInt8]) -> ArraySlice<UInt8> { hash.prefix(4) }
}

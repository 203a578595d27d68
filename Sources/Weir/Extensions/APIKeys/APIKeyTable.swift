/// Finds who has a key.
struct APIKeyTable: Sendable {
    /// By the first bytes of the hash, which a stranger cannot choose: to find a key whose hash begins like one of
    /// these brings nobody nearer to that one. In a bucket, hashes are compared in constant time.
    private var buckets: [ArraySlice<UInt8>: [APIKey]] = [:]

    init(_ keys: [APIKey]) {
        for key in keys { buckets[Self.bucket(of: key.hash), default: []].append(key) }
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

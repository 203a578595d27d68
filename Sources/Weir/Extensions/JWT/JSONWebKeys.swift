/// A JSON Web Key Set (RFC 7517): the keys that sign tokens.
struct JSONWebKeys: Sendable {
    struct Entry: Sendable {
        let id: String?
        let key: SignatureKey
    }

    static let maximumKeys = 100

    let entries: [Entry]
    /// The keys that cannot be used, and why: a service that adds one must not lock everybody out.
    let omitted: [String]

    static let none = JSONWebKeys()

    private init() {
        (entries, omitted) = ([], [])
    }

    /// RFC 7517 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not
    /// understood by them, that are missing required members, or for which values are out of the supported ranges."
    /// - Parameter allowsSecrets: whether a key may be a secret. One that anybody can fetch is none.
    init(parsing text: String, allowsSecrets: Bool) throws(ConfigError) {
        let parsed = Array(text.utf8).withUnsafeBytes { bytes -> Result<([Entry], [String]), ConfigError> in
            guard let tree = JSONTreeReader.value(bytes), let keys = tree["keys"] else {
                return .failure(ConfigError(found: "no JSON Web Key Set", wanted: #"{"keys": […]}"#))
            }
            guard keys.elements.count <= Self.maximumKeys else {
                return .failure(
                    ConfigError(found: "\(keys.elements.count) keys", wanted: "at most \(Self.maximumKeys)"))
            }
            var (entries, omitted): ([Entry], [String]) = ([], [])
            for (index, tree) in keys.elements.enumerated() {
                switch Self.entry(tree, allowsSecrets) {
                case .success(let entry?): entries.append(entry)
                case .success(nil): break
                case .failure(let error):
                    let id = (tree["kid"]?.asText).map { " (kid \($0.quotedForMessage))" } ?? ""
                    omitted.append("keys[\(index)]\(id): \(error.message)")
                }
            }
            return .success((entries, omitted))
        }
        (entries, omitted) = try parsed.get()
        guard !entries.isEmpty else {
            let reasons = omitted.map { "; \($0)" }.joined()
            throw ConfigError("found no key that verifies RS256, ES256 or HS256, wanted one\(reasons)")
        }
    }

    /// Nil for a key that is for something else than signatures.
    private static func entry(_ tree: JSONTree, _ allowsSecrets: Bool) -> Result<Entry?, ConfigError> {
        if let use = tree["use"]?.asText, use != "sig" { return .success(nil) }
        let key: SignatureKey?
        let (kind, curve) = (tree["kty"]?.asText, tree["crv"]?.asText)
        switch (kind, curve) {
        case ("RSA", _): key = SignatureKey(modulus: bytes(tree["n"]), exponent: bytes(tree["e"]))
        case ("EC", "P-256"): key = SignatureKey(x: bytes(tree["x"]), y: bytes(tree["y"]))
        case ("oct", _):
            guard allowsSecrets else {
                return .failure(ConfigError(found: "a secret that anybody can fetch", wanted: "public keys"))
            }
            key = SignatureKey(secret: bytes(tree["k"]))
        default:
            let found = [kind, curve].compactMap { $0 }.joined(separator: " ")
            return .failure(
                ConfigError(found: "a key of kind \(found.quotedForMessage)", wanted: "RSA, EC P-256 or oct"))
        }
        guard let key else {
            return .failure(
                ConfigError(
                    found: "a key that is broken or too small",
                    wanted: "RSA of 2048 to 8192 bits, a point of P-256, or a secret of 32 bytes or more"))
        }
        // RFC 7517 4.4: "alg" says which algorithm the key is for; another one is for other readers.
        if let algorithm = tree["alg"]?.asText, algorithm != key.algorithm.rawValue {
            return .failure(
                ConfigError(
                    found: "a key for the algorithm \(algorithm.quotedForMessage)", wanted: key.algorithm.rawValue))
        }
        return .success(Entry(id: tree["kid"]?.asText, key: key))
    }

    private static func bytes(_ tree: JSONTree?) -> [UInt8] {
        tree?.asText.flatMap { Base64URL.decode(Array($0.utf8)) } ?? []
    }
}

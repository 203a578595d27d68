/// What a file of hashed keys says.
struct APIKeyFile: Sendable {
    static let maximumKeys = 5_000

    let keys: [APIKey]
}

extension APIKeyFile {
    init(_ fields: inout Fields) {
        var names: Set<String> = []
        var proofs: Set<APIKey.Proof> = []
        keys = fields.list("keys", count: 0...Self.maximumKeys, "The keys of clients.") { fields in
            let key = Self.key(&fields)
            if !names.insert(key.identity.name).inserted {
                fields.reject("name", "is there a second time, wanted a name for each key")
            }
            // One that is in error is no key a second time.
            if key.proof != .certificate(""), !proofs.insert(key.proof).inserted {
                fields.reject(key.proof.field, "is there a second time, wanted each key once")
            }
            return key
        }
    }

    private static func key(_ fields: inout Fields) -> APIKey {
        let name = fields.string("name", "What the log calls the client.")
        let tenant = fields.parsed("tenant", standIn: "", type: "tenant", "Whose spans it sends and reads.") {
            text throws(ConfigError) in try TenantName.check(text)
        }
        let scopes = fields.parsedList(
            "scopes", count: 1...Scope.allCases.count, "What it may do: ingest, read, reveal, admin, beacon."
        ) { text throws(ConfigError) in
            guard let scope = Scope(rawValue: text) else {
                let known = Scope.allCases.map(\.rawValue)
                let wanted = "one of \(known.joined(separator: ", "))\(suggestion(for: text, among: known))"
                throw ConfigError(found: text.quotedForMessage, wanted: wanted)
            }
            return scope
        }
        let hash = fields.parsed(
            "sha256", default: [UInt8]?.none, type: "hash", "The key's SHA-256, in hexadecimal."
        ) { text throws(ConfigError) in
            guard let hash = bytes(hexadecimal: text), hash.count == APIKey.hashSize else {
                // What stands there may be the key itself.
                throw ConfigError(
                    found: "\(text.utf8.count) characters", wanted: "64 hexadecimal digits, as weir api-key new prints")
            }
            return hash
        }
        if scopes.contains(.beacon), scopes.count > 1 {
            fields.reject("scopes", "found beacon with others, wanted it alone: every page shows its key to everybody")
        }
        let certificate = fields.optionalString(
            "certificate", "In its place a certificate's subject, CN=shop,O=Example, or DNS:…, URI:… or email:….")
        return APIKey(
            proof: proof(&fields, hash, certificate),
            identity: Identity(name: name, tenant: tenant, scopes: Set(scopes)))
    }

    private static func proof(_ fields: inout Fields, _ hash: [UInt8]?, _ certificate: String?) -> APIKey.Proof {
        switch (hash, certificate) {
        case (let hash?, nil): return .hash(hash)
        case (nil, let name?):
            if name.isEmpty { fields.reject("certificate", "found an empty name, wanted one of a certificate") }
            return .certificate(name)
        case (nil, nil):
            if fields.node("sha256") == nil { fields.reject("", "found no sha256, wanted it or certificate") }
        case (.some, .some): fields.reject("certificate", "found sha256 too, wanted one of them")
        }
        return .certificate("")
    }

    private static func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = text.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

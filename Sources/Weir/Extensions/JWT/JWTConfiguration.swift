/// The keys of the extension `jwt`.
struct JWTConfiguration: Configurable {
    let policy: JWTPolicy
    let source: Source
    /// What the file held when the configuration was read.
    let keys: JSONWebKeys
    let checkInterval: Duration
    let cachedTokens: Int

    var clientTenants: Set<String>? { nil }

    /// Where the keys come from that sign tokens.
    enum Source: Sendable {
        case file(String)
        case url(HTTPURL, ClientTLS?)
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        var policy = JWTPolicy()
        policy.issuer = fields.string("issuer", "Who has to have made a token: its claim iss.")
        policy.audience = fields.string("audience", "Whom it has to be for: one of its claim aud.")
        let algorithms = fields.strings(
            "algorithms", default: ["RS256", "ES256"], count: 1...3, "How it may be signed: RS256, ES256, HS256.")
        policy.algorithms = Set(
            algorithms.compactMap { name in
                let known = SignatureKey.Algorithm(rawValue: name)
                if known == nil {
                    fields.reject("algorithms", "found \(name.quotedForMessage), wanted RS256, ES256 or HS256")
                }
                return known
            })
        policy.tenantClaim = fields.string("tenant_claim", default: "tenant", "The claim that names the tenant.")
        policy.scopeClaim = fields.string(
            "scope_claim", default: "scope", "The claim that names scopes, in one text or a list.")
        policy.scopePrefix = fields.string("scope_prefix", default: "", "What stands in front of Weir's scopes there.")
        policy.scopes = Set(
            fields.parsedList("scopes", count: 0...Scope.allCases.count, "What every token may do.") {
                text throws(ConfigError) in
                guard let scope = Scope(rawValue: text) else {
                    let known = Scope.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ConfigError(found: text.quotedForMessage, wanted: "one of \(known)")
                }
                return scope
            })
        policy.leeway = fields.duration(
            "leeway", default: .seconds(30), in: .zero...(.seconds(300)), "How far clocks may differ.")
        self.policy = policy
        let file = fields.optionalString("jwks_file", "A JSON Web Key Set; a changed file is taken.")
        let url = fields.parsed("jwks_url", default: HTTPURL?.none, type: "URL", "The same, over HTTPS.") {
            text throws(ConfigError) in try HTTPURL(parsing: text)
        }
        let tls = fields.optionalSection("tls", "How jwks_url is reached.", ClientTLS.init)
        (source, keys) = Self.source(&fields, file, url, tls, policy)
        checkInterval = fields.duration(
            "check_interval", default: .seconds(url == nil ? 1 : 300), in: .milliseconds(10)...(.seconds(86_400)),
            "How often the keys are looked at. Those of a URL are asked for once more when a token names another.")
        cachedTokens = fields.int(
            "cached_tokens", default: 10_000, in: 1...1_000_000, "Tokens that are remembered as good, at least.")
    }

    private static func source(
        _ fields: inout Fields, _ file: String?, _ url: HTTPURL?, _ tls: ClientTLS?, _ policy: JWTPolicy
    ) -> (Source, JSONWebKeys) {
        switch (file, url) {
        case (let file?, nil):
            guard fields.mode == .reading else { return (.file(file), .none) }
            do throws(ConfigError) {
                let text = try ConfigFile.text(of: file)
                fields.add(fileFingerprint: text.hashValue)
                let keys = try JSONWebKeys(parsing: text, allowsSecrets: true)
                for reason in keys.omitted { fields.warn("jwks_file", "\(file): left out \(reason)") }
                return (.file(file), keys)
            } catch {
                fields.reject("jwks_file", "\(file) \(error.message)")
            }
        case (nil, let url?):
            if url.scheme == .http, !url.endpoint.isLoopback {
                fields.reject("jwks_url", "found \(url), wanted https: who is on the way could give any keys")
            }
            if policy.algorithms.contains(.hs256) {
                fields.reject("algorithms", "found HS256 with jwks_url, wanted jwks_file: a secret is not published")
            }
            return (.url(url, tls), .none)
        case (nil, nil): fields.reject("", "found no keys, wanted jwks_file or jwks_url")
        case (.some, .some): fields.reject("jwks_url", "found jwks_file too, wanted one of them")
        }
        return (.file(""), .none)
    }
}

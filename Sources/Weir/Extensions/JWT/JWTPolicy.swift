/// Which tokens are believed, and what they say of a client.
struct JWTPolicy: Sendable {
    /// Why a token is not believed, as a metric names it.
    enum Problem: String, Error, CaseIterable {
        case malformed, algorithm, issuer, audience, expired, tenant
        case unknownKey = "unknown_key"
        case signature
        case notYet = "not_yet"
        case noExpiry = "no_expiry"
    }

    /// Somebody, and until when.
    struct Verified: Sendable {
        let identity: Identity
        /// Seconds since 1970.
        let expires: Double
    }

    /// Keys without an id that a token without one is tried with.
    static let maximumTries = 8

    var issuer = ""
    var audience = ""
    var algorithms: Set<SignatureKey.Algorithm> = [.rs256, .es256]
    var tenantClaim = "tenant"
    var scopeClaim = "scope"
    var scopePrefix = ""
    /// What every token may do that is believed.
    var scopes: Set<Scope> = []
    var leeway = Duration.seconds(30)

    func verify(_ text: String, _ keys: JSONWebKeys, at now: Timestamp) throws(Problem) -> Verified {
        guard let token = JSONWebToken(text) else { throw .malformed }
        // RFC 8725 3.1: "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any
        // other algorithms". And a key is of one algorithm only, so a public one never passes for a secret.
        guard let algorithm = SignatureKey.Algorithm(rawValue: token.algorithm), algorithms.contains(algorithm) else {
            throw .algorithm
        }
        let candidates = keys.entries.filter {
            $0.key.algorithm == algorithm && (token.keyID == nil || $0.id == nil || $0.id == token.keyID)
        }
        guard !candidates.isEmpty else { throw .unknownKey }
        guard
            candidates.prefix(Self.maximumTries).contains(where: { $0.key.verifies(token.signature, of: token.signed) })
        else { throw .signature }
        guard let claims = token.claims(tenant: tenantClaim, scope: scopeClaim) else { throw .malformed }
        return try check(claims, at: now)
    }

    private func check(_ claims: JSONWebToken.Claims, at now: Timestamp) throws(Problem) -> Verified {
        guard claims.issuer == issuer else { throw .issuer }
        guard claims.audience.contains(audience) else { throw .audience }
        guard let expires = claims.expires else { throw .noExpiry }
        guard !isOver(expires, at: now) else { throw .expired }
        if let notBefore = claims.notBefore, seconds(now) + leeway / .seconds(1) < notBefore { throw .notYet }
        guard let tenant = claims.tenant.flatMap({ try? TenantName.check($0) }) else { throw .tenant }
        let granted = claims.scopes.filter { $0.hasPrefix(scopePrefix) }
            .compactMap { Scope(rawValue: String($0.dropFirst(scopePrefix.count))) }
        let name = String((claims.subject ?? tenant).prefix(128))
        return Verified(
            identity: Identity(name: name, tenant: tenant, scopes: scopes.union(granted)), expires: expires)
    }

    func isOver(_ expires: Double, at now: Timestamp) -> Bool {
        // RFC 7519 4.1.4: "the expiration time on or after which the JWT MUST NOT be accepted".
        seconds(now) >= expires + leeway / .seconds(1)
    }

    private func seconds(_ now: Timestamp) -> Double { Double(now.nanoseconds) * 1e-9 }
}

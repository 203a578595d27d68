/// What a redaction processor may put in the place of a name.
struct SubjectTokens: Sendable {
    private let token: RedactionToken
    private let policy: RedactionPolicy

    init(of configuration: RedactionConfiguration) throws {
        (token, policy) = (try configuration.tokens(), configuration.policy)
    }

    /// The tokens of a value that is taken as a whole: by its key, by a rule about keys, or since a detector or a rule
    /// finds nothing else in it. What is masked has no name any more.
    func names(of value: [UInt8], tenant: String) -> [[UInt8]] {
        var maker = token.maker()
        func make(_ kind: String, _ value: [UInt8]) -> [UInt8] {
            value.withUnsafeBytes { maker.token(for: $0, kind: kind, tenant: tenant) }
        }
        var names = [make(KeyDecision.Reason.id.rawValue, value)]
        if policy.keys.contains(where: { $0.action == .hash }) {
            names.append(make(KeyDecision.Reason.key.rawValue, value))
        }
        for kind in policy.hashedKinds {
            names.append(make(policy.name(of: kind), value.withUnsafeBytes { RedactionToken.plain($0, kind) }))
        }
        if let hash = policy.collector.hash { names.append(value.withUnsafeBytes { hash.text(of: $0) }) }
        return names
    }
}

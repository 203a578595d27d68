/// What spans may call a person: the name itself, and the tokens that the redaction processors of a configuration make
/// of it.
struct SubjectNames {
    let all: [[UInt8]]

    init(of name: String, tenant: String, _ configuration: CollectorConfiguration) throws {
        self.init(of: name, tenant: tenant, try Self.tokens(of: configuration))
    }

    /// - Parameter tokens: those of ``tokens(of:)``.
    init(of name: String, tenant: String, _ tokens: [SubjectTokens]) {
        let value = Array(name.utf8)
        // Tables have columns of 256 bytes for it. What a longer name is cut to is somebody else's.
        var all = [value]
        for name in tokens.flatMap({ $0.names(of: value, tenant: tenant) }) where !all.contains(name) {
            all.append(name)
        }
        self.all = all
    }

    /// What the redaction processors of a configuration make tokens with.
    static func tokens(of configuration: CollectorConfiguration) throws -> [SubjectTokens] {
        try configuration.processors.compactMap {
            try ($0.configuration as? RedactionConfiguration).map { try SubjectTokens(of: $0) }
        }
    }

    /// What stands for the person in a key store.
    func tags(of attribute: String, tenant: String, in ring: Keyring) throws(KeyError) -> [[UInt8]] {
        var tags: [[UInt8]] = []
        for key in SubjectFamily(of: attribute).keys {
            for name in all {
                guard let tag = name.withUnsafeBytes({ ring.tag(of: key, $0, tenant: tenant) }) else {
                    throw .unavailable("has no key by which subjects are looked up")
                }
                tags.append(tag)
            }
        }
        return tags
    }
}

/// A JSON Web Token in the compact form (RFC 7515, RFC 7519), taken apart and not believed yet.
struct JSONWebToken {
    let algorithm: String
    let keyID: String?
    /// What is signed.
    let signed: [UInt8]
    let signature: [UInt8]
    private let payload: [UInt8]

    /// Nil for anything that is no such token, or has something in its head that must be understood and is not.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(Array(parts[0].utf8)),
            let payload = Base64URL.decode(Array(parts[1].utf8)),
            let signature = Base64URL.decode(Array(parts[2].utf8))
        else { return nil }
        let read = head.withUnsafeBytes { bytes -> (String, String?)? in
            guard let tree = JSONTreeReader.value(bytes), tree.isObject, tree.hasEachNameOnce,
                let algorithm = tree["alg"]?.asText, tree["crit"] == nil
            else { return nil }
            // RFC 8725 3.11: a token for another purpose, such as an ID token's logout, names it here.
            if let type = tree["typ"]?.asText.map({ $0.lowercased() }), !["jwt", "at+jwt"].contains(type) {
                return nil
            }
            return (algorithm, tree["kid"]?.asText)
        }
        guard let (algorithm, keyID) = read else { return nil }
        self.algorithm = algorithm
        self.keyID = keyID
        self.payload = payload
        self.signature = signature
        signed = Array((parts[0] + "." + parts[1]).utf8)
    }

    /// What a token says, of which a signature has been checked.
    struct Claims {
        let issuer: String?
        let audience: [String]
        let subject: String?
        /// Seconds since 1970.
        let expires: Double?
        let notBefore: Double?
        let tenant: String?
        let scopes: [String]
    }

    /// Nil where the payload is no JSON object, or has a name twice: two readers could take it for two things.
    func claims(tenant: String, scope: String) -> Claims? {
        payload.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.value(bytes), tree.isObject, tree.hasEachNameOnce else { return nil }
            func claim(_ name: String) -> JSONTree? { tree.members.first { $0.key.string == name }?.value }
            return Claims(
                issuer: tree["iss"]?.asText, audience: tree["aud"]?.texts ?? [], subject: tree["sub"]?.asText,
                expires: tree["exp"]?.seconds, notBefore: tree["nbf"]?.seconds, tenant: claim(tenant)?.asText,
                // RFC 8693 4.2: "scope" has its words in one text; others write a list.
                scopes: (claim(scope)?.texts ?? []).flatMap { $0.split(separator: " ").map(String.init) })
        }
    }
}

extension JSONTree {
    fileprivate var hasEachNameOnce: Bool { Set(members.map(\.key.string)).count == members.count }

    /// RFC 7519 4.1.3: "In the general case, the "aud" value is an array … In the special case …, a single … string".
    fileprivate var texts: [String] { asText.map { [$0] } ?? elements.compactMap(\.asText) }

    fileprivate var seconds: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }
}

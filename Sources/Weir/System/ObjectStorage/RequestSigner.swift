/// Signs requests with AWS Signature Version 4, or Google's words for it: everything that a request says, but its
/// length, stands under the signature, its body by its hash.
struct RequestSigner: Sendable {
    let dialect: ObjectDialect
    let region: String
    let credentials: ObjectCredentials

    /// - Parameters:
    ///   - path: percent-encoded, from its slash on.
    ///   - query: not encoded.
    ///   - headers: with lower-case names, `host` among them.
    ///   - payload: the SHA-256 of the body.
    /// - Returns: all header fields to send.
    func sign(
        _ method: String, _ path: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], payload: [UInt8], at time: Timestamp
    ) -> [(name: String, value: String)] {
        let moment = CalendarTime(time).compact
        let hash = Digest.hex(payload)
        var headers = headers
        headers.append((dialect.prefix + "content-sha256", hash))
        headers.append((dialect.prefix + "date", moment))
        if let token = credentials.sessionToken { headers.append((dialect.prefix + "security-token", token)) }
        headers.sort { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let fields = headers.map { "\($0.name):\($0.value)\n" }.joined()
        let canonical = [method, path, Self.query(query), fields, names, hash].joined(separator: "\n")
        let day = String(moment.prefix(8))
        let scope = "\(day)/\(region)/\(dialect.service)/\(dialect.terminator)"
        let digest = Digest.hex(Digest.sha256(Array(canonical.utf8)))
        let text = [dialect.algorithm, moment, scope, digest].joined(separator: "\n")
        var key = Array((dialect.secretPrefix + credentials.secret).utf8)
        for part in [day, region, dialect.service, dialect.terminator, text] { key = Self.hmac(key, part) }
        let authorization =
            "\(dialect.algorithm) Credential=\(credentials.id)/\(scope), SignedHeaders=\(names), "
            + "Signature=\(Digest.hex(key))"
        return headers + [("authorization", authorization)]
    }

    /// Sorted by name, and then by value, as encoded.
    static func query(_ query: [(name: String, value: String)]) -> String {
        query.map { (encode($0.name), encode($0.value)) }.sorted { $0 < $1 }.map { "\($0)=\($1)" }
            .joined(separator: "&")
    }

    /// "URI-encode every byte except the unreserved characters: 'A'-'Z', 'a'-'z', '0'-'9', '-', '.', '_', and '~'."
    /// - Parameter isPath: slashes stay too.
    static func encode(_ text: String, isPath: Bool = false) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            case UInt8(ascii: "/") where isPath: encoded.append(byte)
            default: encoded += Array("%\(byte.digits(2, radix: 16, uppercase: true))".utf8)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(text.utf8).withUnsafeBytes { KeyedHash(key: key).hash($0) }
    }
}

/// Where requests go: `http://host:port/path` or `https://…`. A URL is shown in logs, so it must not hold a secret.
struct HTTPURL: Sendable, Hashable {
    enum Scheme: String, Sendable, CaseIterable {
        case http, https

        var port: Int {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    let scheme: Scheme
    /// With the scheme's port where the text names none.
    let endpoint: Endpoint
    /// Empty, or begins with a slash.
    let path: String

    init(_ scheme: Scheme, _ endpoint: Endpoint, path: String = "") {
        self.scheme = scheme
        self.endpoint = endpoint
        self.path = path
    }

    /// - Parameter path: `/v1/traces`
    func appending(_ path: String) -> HTTPURL {
        let base = self.path.hasSuffix("/") ? String(self.path.dropLast()) : self.path
        return HTTPURL(scheme, endpoint, path: base + path)
    }
}

extension HTTPURL {
    init(parsing text: String) throws(ConfigError) {
        // What stands in front of an @ may be a password, and what stands behind a ? a key: they are not repeated.
        guard !text.contains(where: { "@?#".contains($0) }) else {
            throw ConfigError(
                found: "a URL with a user, query or fragment", wanted: "one without; keys belong into headers")
        }
        guard let separator = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<separator.lowerBound].lowercased())
        else { throw Self.malformed(text) }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...]
        guard !authority.isEmpty, path.utf8.allSatisfy(Self.isPath) else { throw Self.malformed(text) }
        let hasPort = authority.contains(":") && !authority.hasSuffix("]")
        let endpoint = try Endpoint(parsing: hasPort ? String(authority) : "\(authority):\(scheme.port)")
        guard endpoint.port > 0 else { throw ConfigError(found: "port 0", wanted: "a port in 1...65535") }
        self.init(scheme, endpoint, path: String(path))
    }

    /// RFC 3986 3.3: the characters of a path, percent-encoded ones among them.
    private static func isPath(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "/-._~!$&'()*+,;=:%".utf8.contains(byte)
        }
    }

    private static func malformed(_ text: String) -> ConfigError {
        ConfigError(found: text.quotedForMessage, wanted: "a URL such as http://127.0.0.1:4318 or https://host/path")
    }
}

extension HTTPURL: CustomStringConvertible {
    var description: String { "\(scheme)://\(endpoint)\(path)" }
}

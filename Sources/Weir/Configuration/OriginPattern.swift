/// An origin of web pages (RFC 6454: scheme, host and port), or many of them: those below a domain, those at any port,
/// or all.
struct OriginPattern: Sendable, Equatable {
    private enum Form: Equatable {
        case one(String)
        /// `https://*.example.com`: what stands in front of the `*`, and what behind it.
        case subdomains(prefix: String, suffix: String)
        /// `http://localhost:*`: what stands in front of the port, the colon included.
        case ports(prefix: String)
        case all
    }

    /// Bytes of an origin: a scheme, a host of 253 (RFC 1035 2.3.4), a port. What is longer is no browser's, and would
    /// stand in every span of a request.
    static let maximumLength = 320

    private let form: Form

    /// Whether it is every origin there is. Credentials are for origins that somebody has named.
    var isAll: Bool { form == .all }

    init(parsing text: String) throws(ConfigError) {
        let text = text.lowercased()
        guard text != "*" else {
            form = .all
            return
        }
        let wanted = "an origin such as https://app.example.com, https://*.example.com or http://localhost:*, or *"
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else {
            throw ConfigError(found: text.quotedForMessage, wanted: wanted)
        }
        let authority = text.dropFirst(scheme.utf8.count)
        let parts = authority.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        // RFC 6454 6.2: an origin has neither user nor path.
        guard !authority.isEmpty, authority.utf8.allSatisfy(Self.isAuthority), parts.count <= 2 else {
            throw ConfigError(found: text.quotedForMessage, wanted: wanted)
        }
        if parts.count == 1 {
            form = .one(text)
        } else if parts[0].isEmpty, parts[1].hasPrefix("."), parts[1].dropFirst().first?.isLetter == true {
            // A `*` stands for whole labels, so that nobody else's name ends like one that is meant.
            form = .subdomains(prefix: scheme, suffix: parts[1])
        } else if parts[1].isEmpty, parts[0].hasSuffix(":"), parts[0].utf8.count > 1 {
            form = .ports(prefix: scheme + parts[0])
        } else {
            throw ConfigError(found: text.quotedForMessage, wanted: wanted)
        }
    }

    /// - Parameter origin: what a browser sends in `Origin`.
    func matches(_ origin: String) -> Bool {
        guard origin.utf8.count <= Self.maximumLength else { return false }
        let origin = origin.lowercased()
        switch form {
        case .all: return true
        case .one(let text): return origin == text
        case .subdomains(let prefix, let suffix):
            guard origin.utf8.count > prefix.utf8.count + suffix.utf8.count else { return false }
            let labels = origin.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
            return origin.hasPrefix(prefix) && origin.hasSuffix(suffix)
                && labels.utf8.allSatisfy { Self.isAuthority($0) && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "*") }
        case .ports(let prefix):
            let port = origin.dropFirst(prefix.utf8.count)
            return origin.hasPrefix(prefix) && !port.isEmpty && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    private static func isAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A: true
        default: "-_.:[]*".utf8.contains(byte)
        }
    }
}

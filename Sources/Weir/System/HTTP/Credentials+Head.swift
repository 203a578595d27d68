import CLibraries
import NIOHTTP1

extension Credentials {
    /// Reads `Authorization: Bearer KEY`, `Authorization: Basic …` with the key as the password and any user name, or
    /// `X-API-Key: KEY`, in this order. Nil where there is none of them, or several of one.
    init?(of head: HTTPRequestHead) {
        let authorizations = head.headers["authorization"]
        let keys = head.headers["x-api-key"]
        guard authorizations.count <= 1, keys.count <= 1 else { return nil }
        guard let key = authorizations.first.map(Self.key(inAuthorization:)) ?? keys.first else { return nil }
        guard (1...Self.maximumLength).contains(key.utf8.count) else { return nil }
        self.init(key: key)
    }

    /// RFC 9110 11.4: a scheme, compared without case, a space, and what the scheme wants. Empty where it is another.
    private static func key(inAuthorization value: String) -> String {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, value.utf8.count <= 4 * maximumLength else { return "" }
        let rest = parts[1].drop { $0 == " " }
        switch parts[0].lowercased() {
        case "bearer": return String(rest)
        case "basic": return password(in: rest)
        default: return ""
        }
    }

    /// RFC 7617 2: base64 of `user:password`; a user name has no colon.
    private static func password(in text: Substring) -> String {
        var bytes = [UInt8](repeating: 0, count: text.utf8.count)
        let count = Int(EVP_DecodeBlock(&bytes, Array(text.utf8), Int32(text.utf8.count)))
        guard count > 0, let pair = String(validating: bytes[..<count].prefix { $0 != 0 }, as: UTF8.self),
            let colon = pair.firstIndex(of: ":")
        else { return "" }
        return String(pair[colon...].dropFirst())
    }
}

extension HTTPRequestHead {
    /// Whether a key was meant to come, sound or not.
    var hasKey: Bool { headers.contains(name: "authorization") || headers.contains(name: "x-api-key") }
}

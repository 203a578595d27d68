import Foundation

/// Where to listen or to connect: a host and a port.
struct Endpoint: Sendable, Hashable {
    /// A name or an address; an IPv6 address without its brackets.
    let host: String
    /// 0...65535; a listener on 0 gets a free port.
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

extension Endpoint {
    /// Reads `127.0.0.1:4318`, `localhost:4318` or `[::1]:4318`.
    init(parsing text: String) throws(ConfigError) {
        guard let colon = text.lastIndex(of: ":") else { throw Self.malformed(text) }
        let digits = text[colon...].dropFirst()
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), (0...65_535).contains(port)
        else { throw ConfigError(found: text.quotedForMessage, wanted: "host:port with a port in 0...65535") }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.init(host: String(host.dropFirst().dropLast()), port: port)
            guard address?.count == 16 else { throw Self.malformed(text) }
            return
        }
        self.init(host: String(host), port: port)
        guard isName else { throw Self.malformed(text) }
    }

    /// Whether only this machine reaches what listens there.
    var isLoopback: Bool {
        host == "localhost" || address == Self.loopback || address?.count == 4 && address?.first == 127
    }

    /// The only one of IPv6.
    static let loopback = Array(repeating: 0 as UInt8, count: 15) + [1]

    /// In bytes, as the system reads it, to which 127.1 and 127.0.0.01 are the same; nil for a name.
    var address: [UInt8]? {
        var short = in_addr()
        if inet_aton(host, &short) != 0 { return withUnsafeBytes(of: short) { Array($0) } }
        var long = in6_addr()
        return inet_pton(AF_INET6, host, &long) == 1 ? withUnsafeBytes(of: long) { Array($0) } : nil
    }

    private var isName: Bool {
        (1...253).contains(host.utf8.count)
            && host.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_-.".unicodeScalars.contains(scalar))
            }
    }

    private static func malformed(_ text: String) -> ConfigError {
        ConfigError(
            found: text.quotedForMessage,
            wanted: "host:port such as 127.0.0.1:4318 or [::1]:4318, or 0.0.0.0:4318 for every address")
    }
}

extension Endpoint: CustomStringConvertible {
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

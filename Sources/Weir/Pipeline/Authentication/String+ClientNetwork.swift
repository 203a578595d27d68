extension String {
    /// Of a client's address, what is one client to whoever counts: all of IPv4, and of IPv6 the first 64 bits. A site
    /// gets a network of that size at least (RFC 6177), so whoever has one address has all of it.
    var clientNetwork: String {
        // `::ffff:192.0.2.1` is IPv4.
        guard utf8.contains(UInt8(ascii: ":")), !utf8.contains(UInt8(ascii: ".")) else { return self }
        let halves = prefix { $0 != "%" }.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.split(separator: ":") }
        let (front, back) = (halves[0], halves.count > 1 ? halves[1] : [])
        let zeros = [Substring](repeating: "0", count: max(0, 8 - front.count - back.count))
        return (front + zeros + back).prefix(4).joined(separator: ":") + "::/64"
    }
}

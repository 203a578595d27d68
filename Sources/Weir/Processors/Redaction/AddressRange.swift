/// Internet addresses with a common beginning, as CIDR writes them (RFC 4632, RFC 4291 2.3): `10.0.0.0/8`,
/// `2001:db8::/32`.
struct AddressRange: Sendable {
    /// A range whose prefix is longer than the address, or not a number.
    struct BadPrefix: Error {
        let longest: Int
    }

    private let address: Address
    private let prefix: Int

    /// - Returns: nil for a text that does not begin with an address and a slash.
    init?(_ text: String) throws(BadPrefix) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Address(Array(parts[0].utf8)[...]) else { return nil }
        let longest = address.isIPv4 ? 32 : 128
        guard let prefix = Int(parts[1]), (0...longest).contains(prefix) else { throw BadPrefix(longest: longest) }
        self.address = address
        self.prefix = prefix
    }

    /// Whether the text is an address of the range. An IPv4 address is none of an IPv6 range.
    func contains(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count <= 45, let other = Address(Array(text)[...]), other.isIPv4 == address.isIPv4 else {
            return false
        }
        return address.bits ^ other.bits < UInt128(1) << UInt128((address.isIPv4 ? 32 : 128) - prefix)
            || prefix == 0
    }
}

private struct Address {
    let bits: UInt128
    let isIPv4: Bool

    init?(_ text: ArraySlice<UInt8>) {
        isIPv4 = !text.contains(UInt8(ascii: ":"))
        guard let bits = isIPv4 ? Self.dotted(text) : Self.hexadecimal(text) else { return nil }
        self.bits = bits
    }

    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt128? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt128 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(isDigit) else { return nil }
            let value = part.reduce(0) { $0 * 10 + Int($1) - 48 }
            guard value < 256 else { return nil }
            bits = bits << 8 | UInt128(value)
        }
        return bits
    }

    /// RFC 4291 2.2: eight groups, of which `::` stands for one or more of zero; the last two may be dotted.
    private static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt128? {
        var sides: [[UInt16]] = [[]]
        var groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        // `::` at either end makes two empty groups there, in the middle one.
        if groups.first?.isEmpty == true {
            guard groups.count > 2, groups[1].isEmpty else { return nil }
            groups.removeFirst()
        }
        if groups.last?.isEmpty == true {
            guard groups.count > 1, groups[groups.count - 2].isEmpty else { return nil }
            groups.removeLast()
        }
        for (index, group) in groups.enumerated() {
            if group.isEmpty {
                guard sides.count == 1 else { return nil }
                sides.append([])
            } else if index == groups.count - 1, group.contains(UInt8(ascii: ".")) {
                guard let bits = dotted(group) else { return nil }
                sides[sides.count - 1] += [UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else {
                guard group.count <= 4 else { return nil }
                var value: UInt16 = 0
                for byte in group {
                    guard let digit = hexDigit(byte) else { return nil }
                    value = value << 4 | UInt16(digit)
                }
                sides[sides.count - 1].append(value)
            }
        }
        let written = sides.reduce(0) { $0 + $1.count }
        guard sides.count == 2 ? written < 8 : written == 8 else { return nil }
        let all = sides[0] + [UInt16](repeating: 0, count: 8 - written) + (sides.count == 2 ? sides[1] : [])
        return all.reduce(0) { $0 << 16 | UInt128($1) }
    }
}

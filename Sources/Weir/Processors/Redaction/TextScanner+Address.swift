// E-mail addresses, addresses of networks, and what stands in front of the host of a URL.
extension TextScanner {
    /// `@`, or `%40` of three bytes.
    mutating func visitAt(_ at: Int, width: Int) {
        if width == 1, visitUserInfo(at) { return }
        guard enabled.has(.email) else { return }
        var start = at
        while start > max(0, at - 128), isLocalPart(start - 1) { start -= 1 }
        // What stands behind a backslash is the letter of an escape.
        if start < at, byte(start - 1) == UInt8(ascii: "\\"), isLetter(base[start]) { start += 1 }
        while start < at, !isLetter(base[start]), !isDigit(base[start]), base[start] < 0x80, base[start] != 0x5F {
            start += 1
        }
        guard start < at, base[at - 1] != UInt8(ascii: ".") else { return }
        let end = domainEnd(at + width)
        // git@github.com:owner/name is the address of a repository.
        if byte(end) == UInt8(ascii: ":"), isLetter(byte(end + 1)), at - start == 3, text.hasWord("git", start) {
            return
        }
        if end > 0 { add(.email, start, end) }
    }

    private func isLocalPart(_ at: Int) -> Bool {
        let byte = base[at]
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "'"),
            UInt8(ascii: "-"):
            return true
        case 0x80...0xBF:
            // Letters of two bytes: Latin, Greek, Cyrillic. Longer ones are more often punctuation.
            return at > 0 && (0xC3...0xDF).contains(base[at - 1])
        case 0xC3...0xDF: return true
        default: return isLetter(byte) || isDigit(byte)
        }
    }

    /// Where a domain with a top-level domain of letters ends, or 0.
    private func domainEnd(_ start: Int) -> Int {
        var end = 0
        var label = start
        var at = start
        var labels = 0
        var isASCII = true
        while at < min(count, start + 254) {
            let byte = base[at]
            if isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte >= 0xC3 {
                // Whoever writes without spaces goes on at once. No top-level domain is of Latin letters and, from
                // U+0380 on, of others.
                if byte >= 0xCE, isASCII, labels > 0, isTopLevel(label, at) { return at }
                at += 1
                if byte >= 0xC3 {
                    isASCII = false
                    while at < count, base[at] & 0xC0 == 0x80 { at += 1 }
                }
                continue
            }
            if isTopLevel(label, at), labels > 0 { end = at }
            guard byte == UInt8(ascii: "."), at > label else { return end }
            labels += 1
            at += 1
            label = at
            isASCII = true
        }
        return isTopLevel(label, at) && labels > 0 ? at : end
    }

    private func isTopLevel(_ start: Int, _ end: Int) -> Bool {
        let length = end - start
        guard (2...63).contains(length) else { return false }
        if text.hasWord("xn--", start) { return length > 4 }
        guard length <= 24, (start..<end).allSatisfy({ isLetter(base[$0]) || base[$0] >= 0x80 }) else { return false }
        // icon@2x.png and the like.
        for suffix in ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json"] as [StaticString]
        where end - start == suffix.utf8CodeUnitCount && text.hasWord(suffix, start) { return false }
        return true
    }

    /// `scheme://user:password@host`: the password, or a token in the place of both. Passwords with a slash or an `@`
    /// in them should be escaped, and often are not.
    private mutating func visitUserInfo(_ at: Int) -> Bool {
        guard enabled.has(.urlCredentials) else { return false }
        var start = at
        var colon = -1
        var slash = -1
        // As far as it goes: since it ends at the `@` before, nobody goes the same way twice.
        while start > 0 {
            let byte = base[start - 1]
            if byte == UInt8(ascii: "/") {
                if self.byte(start - 2) == UInt8(ascii: "/"), self.byte(start - 3) == UInt8(ascii: ":") { break }
                slash = start - 1
            }
            if byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: "@") {
                return false
            }
            if byte == UInt8(ascii: ":") { colon = start - 1 }
            start -= 1
        }
        guard start > 2, base[start - 1] == 0x2F, base[start - 2] == 0x2F, base[start - 3] == 0x3A else { return false }
        if slash >= 0 {
            // Behind a port, or where there is no colon, a path begins.
            let isPort = colon < slash && (colon + 1..<slash).allSatisfy { isDigit(base[$0]) }
            guard colon >= 0, colon < slash, !isPort, base[start] != UInt8(ascii: "["), text.isWord(at: at + 1)
            else { return false }
        }
        let secret = colon < 0 ? start : colon + 1
        guard at - secret > (colon < 0 ? 15 : 0), base[secret] != UInt8(ascii: "[") else { return colon >= 0 }
        let last = colon < 0 ? at : lastAt(at)
        guard add(.urlCredentials, secret, last) else { return false }
        resume = last + 1
        return true
    }

    /// The last `@` in front of the host.
    private func lastAt(_ first: Int) -> Int {
        var last = first
        var end = first + 1
        while end < min(count, first + 128), base[end] > 0x20, !"/?#,;\"'<>\\".utf8.contains(base[end]) {
            if base[end] == UInt8(ascii: "@") { last = end }
            end += 1
        }
        return last
    }

    // MARK: IP and MAC addresses

    /// The first colon of an IPv6 address or of a hardware address.
    mutating func visitAddress(_ at: Int) -> Bool {
        var start = at
        while start > at - 5, start > 0, hexDigit(base[start - 1]) != nil { start -= 1 }
        guard start > at - 5, text.mayBeInAddress(at), !text.isWord(before: start) else { return false }
        guard start == at || byte(start - 1) != UInt8(ascii: ":") else { return false }
        if at - start == 2, let end = text.hardwareEnd(start, UInt8(ascii: ":")) {
            return addHardware(start, end)
        }
        return start < at || byte(at + 1) == UInt8(ascii: ":") ? visitIPv6(start) : false
    }

    /// Digits alone are more often a time with its date, unless a word says what they are.
    mutating func addHardware(_ start: Int, _ end: Int) -> Bool {
        guard (start..<end).contains(where: { isLetter(base[$0]) }) || hints(start, end).has(.macAddress) else {
            return false
        }
        return add(.macAddress, start, end)
    }

    private mutating func visitIPv6(_ start: Int) -> Bool {
        guard enabled.has(.ipAddress) else { return false }
        var at = start
        var parts = 0
        var isShort = false
        var hasDigit = false
        var first = 0
        var mapped: AddressParts?
        var longest = 0
        if byte(at) == UInt8(ascii: ":") {
            guard byte(at + 1) == UInt8(ascii: ":") else { return false }
            isShort = true
            at += 2
        }
        while parts < 8, let digit = hexDigit(byte(at)) {
            var value = Int(digit)
            let part = at
            hasDigit = hasDigit || isDigit(byte(at))
            at += 1
            while at - part < 4, let digit = hexDigit(byte(at)) {
                value = value << 4 | Int(digit)
                hasDigit = hasDigit || isDigit(byte(at))
                at += 1
            }
            if parts == 0, !isShort || start == part { first = value }
            longest = max(longest, at - part)
            if byte(at) == UInt8(ascii: "."), let (end, address) = dotted(part) {
                at = end
                mapped = address
                parts += 2
                break
            }
            parts += 1
            guard byte(at) == UInt8(ascii: ":") else { break }
            if byte(at + 1) == UInt8(ascii: ":") {
                if isShort { break }
                isShort = true
                at += 2
                if hexDigit(byte(at)) == nil { break }
            } else {
                guard hexDigit(byte(at + 1)) != nil else { break }
                at += 1
            }
        }
        guard !text.isWord(at: at), isShort ? parts < 8 && parts > 1 && longest > 2 : parts == 8, hasDigit
        else { return false }
        // All but loopback, link-local and unique local. Those of documentation are too often what was made of one.
        let isOwn = first != 0 && first & 0xFFC0 != 0xFE80 && first & 0xFE00 != 0xFC00
        // RFC 4291 2.5.5.2: an IPv4 address in other clothes.
        var isPublic = isOwn
        if let mapped, first == 0 { isPublic = self.isPublic(mapped) }
        guard isPublic || takesAnyAddress || isStrict else {
            resume = max(resume, at)
            return true
        }
        return add(.ipAddress, start, at)
    }

    typealias AddressParts = InlineArray<4, Int>

    private func dotted(_ start: Int) -> (end: Int, address: AddressParts)? {
        var parts = AddressParts(repeating: 0)
        var at = start
        for part in 0..<4 {
            let first = at
            while at - first < 3, isDigit(byte(at)) {
                parts[part] = parts[part] * 10 + Int(byte(at)) - 48
                at += 1
            }
            guard at > first, parts[part] < 256, part == 3 || byte(at) == UInt8(ascii: ".") else { return nil }
            if part < 3 { at += 1 }
        }
        return (at, parts)
    }

    /// Whether four numbers of at most three digits, with dots, are an address that says where somebody is.
    func isAddress(_ group: UnsafePointer<Group>) -> Bool {
        var parts = AddressParts(repeating: 0)
        for index in 0..<4 {
            guard index == 3 || group[index].separator == UInt8(ascii: "."), group[index].count <= 3 else {
                return false
            }
            parts[index] = Checksums.number(digits + group[index].offset, 0..<group[index].count)
            guard parts[index] < 256, group[index].count == 1 || digits[group[index].offset] != 0 else { return false }
        }
        if takesAnyAddress || !enabled.has(.ipAddress) { return true }
        let start = group.pointee.start
        // "Chrome/10.15.7.1"
        if byte(start - 1) == UInt8(ascii: "/"), text.isWord(at: start - 2) { return true }
        let before = words.hints(in: base, max(0, start - ContextWords.near)..<start)
        if before.has(.ipAddress) { return parts[0] > 0 && parts[0] != 127 && parts[0] < 224 }
        if before.contains(.version) { return false }
        // As first numbers of versions they are far more frequent.
        if parts[0] < 4 { return isStrict && parts[0] > 0 }
        return isPublic(parts)
    }

    private func isPublic(_ parts: AddressParts) -> Bool {
        switch parts[0] {
        case 0: false
        case 10, 127, 224...: isStrict && parts[0] < 224
        case 169: parts[1] != 254
        case 172: isStrict || !(16...31).contains(parts[1])
        case 192: isStrict || parts[1] != 168
        default: true
        }
    }
}

extension TextBytes {
    /// Whether the colon at a place can be one of an address: a hexadecimal digit follows, or another colon.
    @inline(__always)
    func mayBeInAddress(_ at: Int) -> Bool {
        base[at] == UInt8(ascii: ":") && (byte(at + 1) == UInt8(ascii: ":") || hexDigit(byte(at + 1)) != nil)
    }
}

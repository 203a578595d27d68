// Keys and tokens that show what they are, and values that stand behind the word "password" or its like.
extension TextScanner {
    /// `-`: a PEM block, a token's prefix, a hardware address that begins with letters.
    mutating func visitDash(_ at: Int) {
        let next = byte(at + 1)
        if next == UInt8(ascii: "-") {
            if text.has("-----BEGIN ", at) { visitPem(at) }
            return
        }
        if byte(at + 3) == UInt8(ascii: "-"), byte(at + 6) == UInt8(ascii: "-"), at >= 2, isLetter(base[at - 2]),
            !text.isWord(before: at - 2), let end = text.hardwareEnd(at - 2, UInt8(ascii: "-"))
        {
            add(.macAddress, at - 2, end)
            return
        }
        visitPrefix(at)
    }

    /// A block without an end goes on to the end of the text.
    private mutating func visitPem(_ start: Int) {
        guard enabled.has(.privateKey) else { return }
        var at = start + 11
        while at < min(count, start + 64), base[at] != UInt8(ascii: "-") { at += 1 }
        guard text.has("-----", at), text.has("PRIVATE KEY", at - 11) || text.has("PRIVATE KEY BLOCK", at - 17) else {
            return
        }
        at += 5
        while at < count, !text.has("-----END ", at) { at += 1 }
        at = min(count, at + 9)
        let last = min(count, at + 64)
        while at < last, !text.has("-----", at) { at += 1 }
        add(.privateKey, start, at < last ? at + 5 : at)
    }

    /// `_`, `-` or `.` that may end the prefix of a token.
    mutating func visitPrefix(_ at: Int) {
        guard at > 1, isWordByte(byte(at + 1)) else { return }
        var start = at
        while start > max(0, at - TokenPrefix.maxHead), isLetter(base[start - 1]) || isDigit(base[start - 1]) {
            start -= 1
        }
        guard (2...TokenPrefix.maxHead - 1).contains(at - start), byte(start - 1) != UInt8(ascii: "-") else { return }
        let head = TokenPrefix.pack(base + start, at - start + 1)
        guard TokenPrefix.isKnown(head, in: heads) else { return }
        for prefix in TokenPrefix.all where prefix.head == head && text.has(prefix.rest, at + 1) {
            let start = start - prefix.lead.utf8CodeUnitCount
            guard text.has(prefix.lead, start), !text.isWord(before: start) else { continue }
            let body = at + 1 + prefix.rest.utf8CodeUnitCount
            var end = body
            while end < count, end - body <= prefix.lengths.upperBound, prefix.alphabet.allows(base[end]) { end += 1 }
            // The end of the sentence.
            while end > body, base[end - 1] == UInt8(ascii: ".") { end -= 1 }
            guard prefix.lengths.contains(end - body), !text.isWord(at: end), isPlausible(prefix, start, body, end)
            else {
                continue
            }
            add(prefix.detector, start, end)
            return
        }
    }

    private func isPlausible(_ prefix: TokenPrefix, _ start: Int, _ body: Int, _ end: Int) -> Bool {
        if prefix.detector == .githubToken, prefix.rest.utf8CodeUnitCount == 0, end - body == 36, !isStrict {
            return hasGithubSum(body)
        }
        return text.entropy(body, end) > 2.8
    }

    /// The last six characters are the CRC-32 of the thirty before them in base 62.
    private func hasGithubSum(_ start: Int) -> Bool {
        var crc = UInt32.max
        for place in 0..<30 {
            crc ^= UInt32(base[start + place])
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        var rest = ~crc
        for place in stride(from: 35, through: 30, by: -1) {
            let value = UInt8(rest % 62)
            let wanted = value < 10 ? value + 48 : value < 36 ? value + 55 : value + 61
            if base[start + place] != wanted { return false }
            rest /= 62
        }
        return true
    }

    /// AWS and Google keys.
    mutating func visitCapitalA(_ at: Int) {
        guard !text.isWord(before: at) else { return }
        let second = byte(at + 1)
        if byte(at + 2) == UInt8(ascii: "I") || byte(at + 2) == UInt8(ascii: "C"), byte(at + 3) == UInt8(ascii: "A") {
            for place in 4..<20 where !(isDigit(byte(at + place)) || byte(at + place) &- 65 < 26) { return }
            guard "KSBC".utf8.contains(second), !text.isWord(at: at + 20), !text.has("EXAMPLE", at + 13) else { return }
            add(.awsKey, at, at + 20)
        } else if text.has("AIza", at) {
            for place in 4..<39 where !(isWordByte(byte(at + place)) || byte(at + place) == 0x2D) { return }
            if !text.isWord(at: at + 39) { add(.googleKey, at, at + 39) }
        } else if text.has("ATATT3", at) || text.has("ATCTT3", at) || text.has("AGE-SECRET-KEY-1", at) {
            var end = at + 6
            while end < min(count, at + 300), isKeyByte(base[end]) || base[end] == UInt8(ascii: "=") { end += 1 }
            if end - at > 70 { add(.apiKey, at, end) }
        }
    }

    /// `eyJ`: three parts in base64url, of which the first is JSON with `alg`.
    mutating func visitToken(_ at: Int) {
        let start = at - 2
        guard text.has("ey", start), !text.isWord(before: start), byte(start - 1) != UInt8(ascii: "-") else { return }
        if visitMapbox(start) { return }
        let head = tokenPart(start)
        guard byte(head) == UInt8(ascii: "."), text.has("eyJ", head + 1) else { return }
        let body = tokenPart(head + 1)
        guard byte(body) == UInt8(ascii: "."), hasAlgorithm(start, head) else { return }
        add(.jwt, start, tokenPart(body + 1))
    }

    private func tokenPart(_ start: Int) -> Int {
        var at = start
        while at < count, isWordByte(base[at]) || base[at] == UInt8(ascii: "-") { at += 1 }
        return at
    }

    private func hasAlgorithm(_ start: Int, _ end: Int) -> Bool {
        var bits: UInt32 = 0
        var state: UInt64 = 0
        for place in start..<min(end, start + 2048) {
            let byte = base[place]
            let sextet: UInt8 =
                switch byte {
                case 0x41...0x5A: byte - 0x41
                case 0x61...0x7A: byte - 0x61 + 26
                case 0x30...0x39: byte - 0x30 + 52
                case 0x2D: 62
                default: 63
                }
            bits = bits << 6 | UInt32(sextet)
            let phase = (place - start) % 4
            if phase == 0 { continue }
            state = (state << 8 | UInt64(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * phase)))) & 0xFF_FFFF_FFFF
            if state == 0x22_616C_6722 { return true }  // "alg"
        }
        return false
    }

    // MARK: Behind = and :

    /// `key=value` and `key: value`.
    mutating func visitAssignment(_ at: Int) {
        let end = text.nameEnd(before: at)
        var start = end
        while start > max(0, end - 48), isKeyByte(base[start - 1]) { start -= 1 }
        guard end - start > 1 else { return }
        let lead = byte(start - 1)
        if base[at] == UInt8(ascii: "="), lead == UInt8(ascii: "?") || lead == UInt8(ascii: "&"),
            let isSure = SecretWords.queryKey(base + start, end - start)
        {
            return takeQueryValue(at + 1, isSure: isSure)
        }
        guard let word = SecretWords.ending(base + start, end - start) ?? SecretWords.whole(base + start, end - start)
        else { return }
        takeSecret(at + 1, isHeader: word == .header, isLast: base[at] == UInt8(ascii: ":"))
    }

    private func isKeyByte(_ byte: UInt8) -> Bool { isWordByte(byte) || byte == UInt8(ascii: "-") }

    private mutating func takeQueryValue(_ start: Int, isSure: Bool) {
        // The value may be as long as the text, so only one that is taken is read to its end.
        guard enabled.has(.urlCredentials), !isPlaceholder(start), isSure || isStrict || mayBeKey(start) else { return }
        var end = start
        while end < count, isOfQueryValue(end) { end += 1 }
        if end > start { add(.urlCredentials, start, end) }
    }

    private func isOfQueryValue(_ at: Int) -> Bool { base[at] > 0x20 && !"&#\"'<>\\".utf8.contains(base[at]) }

    /// Whether a value behind `key=` or `code=` is none of the names and short numbers that stand there as often.
    private func mayBeKey(_ start: Int) -> Bool {
        var end = start
        while end < min(count, start + 32), isOfQueryValue(end) { end += 1 }
        let length = end - start
        return length == 32 || length > 5 && (text.hasDigits(start, length) || isMixed(start, end))
    }

    /// Whether a letter stands right behind a digit, as in few names.
    func isMixed(_ start: Int, _ end: Int) -> Bool {
        (start + 1..<end).contains { isLetter(base[$0]) && isDigit(base[$0 - 1]) }
    }

    /// As much of a value says whether it is a secret; one that is, is read to its end.
    static let maxJudged = 4096

    /// A value behind `=` or `:`, and what says where it ends.
    private struct AssignedValue: BitwiseCopyable {
        var start: Int
        /// 0 for none.
        let quote: UInt8
        let isHeader: Bool
        /// No other value of a form is behind it.
        let isLast: Bool
        /// What stands between the parameters of a header; 0 where there are none.
        var separator: UInt8 = 0
    }

    private mutating func takeSecret(_ after: Int, isHeader: Bool, isLast: Bool) {
        // What was read as a value once, and is none, need not be read from every place in it.
        guard enabled.has(.secret), after >= secretEnd else { return }
        var start = after
        if byte(start) == UInt8(ascii: "=") || byte(start) == UInt8(ascii: ">") { return }
        while start < after + 3, byte(start) == UInt8(ascii: " ") { start += 1 }
        while start < after + 12, byte(start) == UInt8(ascii: "\\") { start += 1 }
        let quote = byte(start) == UInt8(ascii: "\"") || byte(start) == UInt8(ascii: "'") ? byte(start) : 0
        if quote != 0 { start += 1 }
        var value = AssignedValue(start: start, quote: quote, isHeader: isHeader, isLast: isLast)
        for scheme in ["bearer ", "basic ", "token ", "aws4-hmac-sha256 "] as [StaticString]
        where text.hasWord(scheme, value.start) { value.start += scheme.utf8CodeUnitCount }
        if isHeader, quote == 0 {
            if value.start == start, takeBehindScheme(value) { return }
            if isParameter(value.start), !isPlaceholder(value.start) {
                value.separator = UInt8(ascii: value.start > start ? "," : ";")
            }
        }
        let end = valueEnd(value, Self.maxJudged)
        secretEnd = end
        if isSecret(value.start, end) { add(.secret, value.start, valueEnd(value, count)) }
    }

    /// `Authorization: ApiKey …`, with any word in its place. One that may be a secret goes with what is behind it.
    private mutating func takeBehindScheme(_ header: AssignedValue) -> Bool {
        var end = header.start
        while end - header.start < 24, isLetter(byte(end)) || byte(end) == UInt8(ascii: "-") { end += 1 }
        guard end - header.start > 1, byte(end) == UInt8(ascii: " ") else { return false }
        let first = isRandom(header.start, end) ? header.start : end + 1
        var value = header
        value.start = end + 1
        if isParameter(value.start) { value.separator = UInt8(ascii: ",") }
        end = valueEnd(value, Self.maxJudged)
        // As much as behind "bearer", since prose goes on in the same way.
        guard end - value.start >= 16, isMixed(value.start, end), isSecret(value.start, end) else { return false }
        return add(.secret, first, valueEnd(value, count))
    }

    private func isSecret(_ start: Int, _ end: Int) -> Bool {
        end - start >= 6 && byte(end) != UInt8(ascii: "(") && !isPlaceholder(start) && isRandom(start, end)
    }

    /// Where a value ends, of which so many bytes are looked at.
    private func valueEnd(_ value: AssignedValue, _ limit: Int) -> Int {
        let last = min(count, value.start + limit)
        var end = value.start
        while end < last {
            if isSecretByte(base[end], value) {
                end += 1
            } else if value.separator != 0, let next = parameter(end, value.separator) {
                end = next
            } else {
                break
            }
        }
        while end > value.start, base[end - 1] == UInt8(ascii: ".") || base[end - 1] == UInt8(ascii: ":") { end -= 1 }
        return end
    }

    /// Where a header's value goes on: behind `"…"`, or where the next parameter or cookie begins.
    private func parameter(_ at: Int, _ separator: UInt8) -> Int? {
        switch base[at] {
        case UInt8(ascii: "\"") where base[at - 1] == UInt8(ascii: "="):
            // RFC 9110 11.2: auth-param = token BWS "=" BWS ( token / quoted-string ). Where more follows at once, the
            // quote ended what the header stands in.
            var end = at + 1
            while end < min(count, at + 1024), base[end] >= 0x20, base[end] != UInt8(ascii: "\"") { end += 1 }
            let next = byte(end + 1)
            return byte(end) == base[at] && (next <= 0x20 || ",;'})]".utf8.contains(next)) ? end + 1 : nil
        case separator:
            let next = byte(at + 1) == UInt8(ascii: " ") ? at + 2 : at + 1
            return isParameter(next) ? next : nil
        case UInt8(ascii: ","), UInt8(ascii: ";"):
            // "SignedHeaders=host;range, Signature=…"
            return text.isWord(at: at + 1) ? at + 1 : nil
        default: return nil
        }
    }

    /// Whether `name=` stands there, and something behind it.
    private func isParameter(_ start: Int) -> Bool {
        var at = start
        while at - start < 64, isKeyByte(byte(at)) || ".%$".utf8.contains(byte(at)) { at += 1 }
        return at > start && byte(at) == UInt8(ascii: "=") && byte(at + 1) > 0x20 && byte(at + 1) != byte(at)
    }

    private func isSecretByte(_ byte: UInt8, _ value: AssignedValue) -> Bool {
        if byte <= 0x20 { return value.isHeader && byte == 0x20 && value.quote != 0 }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "`"):
            return false
        case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ")"), UInt8(ascii: "("), UInt8(ascii: "}"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"):
            return value.quote != 0
        // Behind it the next of a form's values begins.
        case UInt8(ascii: "&"): return value.quote != 0 || value.isLast
        default: return true
        }
    }

    /// Not a plain word, and not a name of a program's variable.
    func isRandom(_ start: Int, _ end: Int) -> Bool {
        var kinds: UInt8 = 0
        for place in start..<end {
            let byte = base[place]
            kinds |=
                isDigit(byte) ? 1 : byte &- 65 < 26 ? 2 : byte &- 97 < 26 ? 4 : byte == 0x5F || byte == 0x2E ? 16 : 8
        }
        if isStrict { return true }
        // A digit and a letter, or a symbol among letters.
        guard kinds & 1 != 0 && kinds & 6 != 0 || kinds & 8 != 0 else { return false }
        return text.entropy(start, end) >= min(3, TextBytes.logarithm(Double(end - start)) * 0.75)
    }

    /// What documentation writes in the place of a secret, and what is masked already.
    func isPlaceholder(_ start: Int) -> Bool {
        switch byte(start) {
        case UInt8(ascii: "$"), UInt8(ascii: "<"), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "*"),
            UInt8(ascii: "%"), UInt8(ascii: "("):
            return true
        default: break
        }
        for word in Self.placeholders where text.hasWord(word, start) { return true }
        return false
    }

    private static let placeholders: [StaticString] = [
        "your", "xxx", "null", "none", "true", "false", "undefined", "example", "changeme", "...", "tok_", "os.",
        "process.", "env.", "getenv", "self.", "config.", "settings.", "string", "redacted", "placeholder", "my_",
    ]
}

extension TextBytes {
    /// Where the name ends that `=` or `:` stands behind, with or without quotes and spaces between.
    @inline(__always)
    fileprivate func nameEnd(before at: Int) -> Int {
        var end = at
        while end > max(0, at - 2), base[end - 1] == UInt8(ascii: " ") { end -= 1 }
        if end > 0, base[end - 1] == UInt8(ascii: "\"") || base[end - 1] == UInt8(ascii: "'") {
            end -= 1
            while end > max(0, at - 12), base[end - 1] == UInt8(ascii: "\\") { end -= 1 }
        }
        return end
    }

    /// Whether the name in front of `=` or `:` can be one of a secret: one of these ``SecretWords/endings`` is its own.
    @inline(__always)
    func mayAssign(_ at: Int, _ endings: UnsafePointer<UInt64>) -> Bool {
        let end = nameEnd(before: at)
        guard end > 2 else { return false }
        let ending = SecretWords.ending(base + end - 3)
        return endings[ending >> 6] & 1 << UInt64(ending & 63) != 0
    }
}

// Keys and tokens that begin as a word does, with digits among their first letters, and what stands behind "bearer".
extension TextScanner {
    /// A word that begins with letters, of which the last stands before `digit`.
    mutating func visitKey(_ start: Int, _ digit: Int) -> Bool {
        switch base[start] {
        case UInt8(ascii: "s") where text.has("sq0atp-", start): return takeKey(.apiKey, start, 7, .base64url, 22...22)
        case UInt8(ascii: "E") where text.has("EAAA", start): return takeKey(.apiKey, start, 4, .base64url, 60...60)
        case UInt8(ascii: "S") where byte(start + 1) == UInt8(ascii: "K"):
            return takeKey(.apiKey, start, 2, .hexadecimal, 32...32)
        case UInt8(ascii: "d") where text.has("dapi", start): return takeKey(.apiKey, start, 4, .hexadecimal, 32...32)
        case UInt8(ascii: "p") where text.has("pat", start): return visitAirtable(start)
        case UInt8(ascii: "a") where text.has("atlasv1.", start): return visitTerraform(start)
        case UInt8(ascii: "n"), UInt8(ascii: "e"):
            // HubSpot's, by the region that they are for.
            guard digit == start + 2, byte(start - 1) == UInt8(ascii: "-"), text.has("pat-", start - 4),
                byte(start + 3) == UInt8(ascii: "-"), !text.isWord(before: start - 4)
            else { return false }
            return takeKey(.apiKey, start - 4, 8, .base64url, 36...36)
        case UInt8(ascii: "T") where text.has("hooks.slack.com/services/", start - 25):
            return takeKey(.slackToken, start, 1, .path, 30...80)
        case UInt8(ascii: "M"), UInt8(ascii: "N"), UInt8(ascii: "O"): return visitDiscord(start)
        default: return false
        }
    }

    private mutating func takeKey(
        _ detector: Detector, _ start: Int, _ head: Int, _ alphabet: TokenPrefix.Alphabet, _ lengths: ClosedRange<Int>
    ) -> Bool {
        var end = runEnd(start + head, alphabet, lengths.upperBound + 1)
        // The end of the sentence.
        if base[end - 1] == UInt8(ascii: ".") { end -= 1 }
        guard lengths.contains(end - start - head), !text.isWord(at: end), text.entropy(start + head, end) > 2.8
        else { return false }
        return add(detector, start, end)
    }

    /// Where bytes of an alphabet end, of which so many are looked at.
    private func runEnd(_ start: Int, _ alphabet: TokenPrefix.Alphabet, _ limit: Int) -> Int {
        var end = start
        while end < min(count, start + limit), alphabet.allows(base[end]) { end += 1 }
        return end
    }

    private mutating func visitAirtable(_ start: Int) -> Bool {
        let dot = runEnd(start, .alphanumeric, 18)
        guard dot - start == 17, byte(dot) == UInt8(ascii: ".") else { return false }
        return takeKey(.apiKey, start, 18, .hexadecimal, 64...64)
    }

    private mutating func visitTerraform(_ at: Int) -> Bool {
        let start = at - 15
        guard byte(at - 1) == UInt8(ascii: "."), start >= 0, runEnd(start, .alphanumeric, 15) == at - 1,
            !text.isWord(before: start)
        else { return false }
        return takeKey(.apiKey, start, 23, .base64url, 60...70)
    }

    /// Three parts, the first the number of an account in base64.
    private mutating func visitDiscord(_ start: Int) -> Bool {
        let first = runEnd(start, .base64url, 29)
        guard (24...28).contains(first - start), byte(first) == UInt8(ascii: "."),
            runEnd(first + 1, .base64url, 7) == first + 7, byte(first + 7) == UInt8(ascii: ".")
        else { return false }
        return takeKey(.apiKey, start, first + 8 - start, .base64url, 27...40)
    }

    /// A word that begins with digits, `end` behind them.
    mutating func visitKey(digits start: Int, _ end: Int) -> Bool {
        if byte(end) == UInt8(ascii: ":"), (8...10).contains(end - start), text.has("AA", end + 1) {
            return takeKey(.apiKey, start, end + 1 - start, .base64url, 35...35)
        }
        if byte(end) == UInt8(ascii: "/"), (17...20).contains(end - start), text.has("/webhooks/", start - 10) {
            return takeKey(.apiKey, start, end + 1 - start, .base64url, 60...80)
        }
        return false
    }

    /// A secret of Azure, which has `8Q~` or its like behind three bytes.
    @inline(__always)
    mutating func visitAzure(_ start: Int) -> Bool {
        guard byte(start + 4) == UInt8(ascii: "Q"), byte(start + 5) == UInt8(ascii: "~"), isDigit(base[start + 3])
        else { return false }
        return takeKey(.apiKey, start, 6, .tilde, 31...34)
    }

    /// A word that has a digit, behind a space.
    @inline(__always)
    mutating func visitBearer(_ start: Int) -> Bool {
        byte(start - 2) | 0x20 == UInt8(ascii: "r") && takeBearer(start)
    }

    private mutating func takeBearer(_ start: Int) -> Bool {
        guard enabled.has(.secret), text.hasWord("bearer", start - 7), !text.isWord(before: start - 7) else {
            return false
        }
        let end = bearerEnd(start, Self.maxJudged)
        guard end - start >= 16, !isPlaceholder(start), isMixed(start, end), isRandom(start, end) else { return false }
        return add(.secret, start, bearerEnd(start, count))
    }

    private func bearerEnd(_ start: Int, _ limit: Int) -> Int {
        var end = runEnd(start, .bearer, limit)
        while end > start, base[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return end
    }

    /// `sk.` and `pk.` of Mapbox, in front of a part in base64url that is JSON.
    mutating func visitMapbox(_ json: Int) -> Bool {
        let start = json - 3
        guard text.has("k.", start + 1), byte(start) == UInt8(ascii: "s") || byte(start) == UInt8(ascii: "p"),
            !text.isWord(before: start)
        else { return false }
        let dot = runEnd(json, .base64url, 300)
        guard dot - json > 20, byte(dot) == UInt8(ascii: ".") else { return false }
        return takeKey(.apiKey, start, dot + 1 - start, .base64url, 20...32)
    }
}

// Numbers with letters: IBAN, identity numbers of several states, addresses of cryptocurrencies.
extension TextScanner {
    /// The first digit of a run behind a letter.
    mutating func visitLettersAndDigits(_ at: Int) {
        var start = at
        while start > max(0, at - 8), isLetter(base[start - 1]) { start -= 1 }
        // The letter of an escape such as \n does not count.
        if start < at, byte(start - 1) == UInt8(ascii: "\\"), !text.isWord(before: start + 1) { start += 1 }
        if at - start == 8 {
            // Only a key begins with more letters.
            var first = start
            while first > max(0, at - 40), isLetter(base[first - 1]) { first -= 1 }
            if first < start {
                if text.isWord(before: first) || visitKey(first, at) { return }
                _ = byte(first - 1) == UInt8(ascii: " ") && visitBearer(first)
                return
            }
        }
        guard !text.isWord(before: start) else { return }
        if byte(start - 1) == UInt8(ascii: " "), visitBearer(start) { return }
        if visitRegistered(start) || visitAzure(start) || visitKey(start, at) { return }
        switch at - start {
        case 1: visitOneLetter(start)
        case 2: visitTwoLetters(start)
        case 5: visitPan(start)
        case 6:
            if text.hasWord("iban", start) {
                _ = visitIban(start + 4)
            } else {
                visitFiscalCode(start)
            }
        default: break
        }
    }

    private func load(_ at: Int, _ count: Int) -> Checksums.Digits {
        for place in 0..<count { digits[place] = byte(at + place) &- 48 }
        return UnsafePointer(digits)
    }

    private mutating func visitOneLetter(_ start: Int) {
        let letter = base[start] & 0xDF
        // ES_NIE: X, Y or Z, seven digits and a letter, with hyphens or without.
        if (88...90).contains(letter), text.hasDigits(start + 1, 7) {
            let value = Int(letter - 88) * 10_000_000 + Checksums.number(load(start + 1, 7), 0..<7)
            let end = start + (byte(start + 8) == UInt8(ascii: "-") ? 10 : 9)
            if Checksums.dni(value, byte(end - 1)), !text.isWord(at: end) { add(.esNie, start, end) }
            return
        }
        passport(start, start + 1)
    }

    /// One or two letters and six to nine digits, where a word says that it is a passport.
    private mutating func passport(_ start: Int, _ firstDigit: Int) {
        var end = firstDigit
        while end - firstDigit < 10, isDigit(byte(end)) { end += 1 }
        guard (6...9).contains(end - firstDigit), !text.isWord(at: end), text.isCapital(start),
            hints(start, end).has(.passport)
        else { return }
        add(.passport, start, end)
    }

    private mutating func visitTwoLetters(_ start: Int) {
        if visitIban(start) || visitNino(start) { return }
        if base[start] == UInt8(ascii: "b"), base[start + 1] == UInt8(ascii: "c"), base[start + 2] == UInt8(ascii: "1")
        {
            return visitSegwit(start)
        }
        if text.hasDigits(start + 2, 7), !text.isWord(at: start + 9), text.isCapital(start), text.isCapital(start + 1),
            Checksums.dea(load(start + 2, 7)), hints(start, start + 9).has(.usDea)
        {
            add(.usDea, start, start + 9)
            return
        }
        passport(start, start + 2)
    }

    private mutating func visitIban(_ start: Int) -> Bool {
        let length = Checksums.ibanLength(base[start] & 0xDF, base[start + 1] & 0xDF)
        guard length > 0, text.hasDigits(start + 2, 2) else { return false }
        // ISO 13616-1: the first four characters go to the end, letters count from ten, and the rest by 97 is one.
        var taken = 0
        var at = start
        var head = 0
        var rest = 0
        while taken < length {
            let (byte, next) = text.mark(at)
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") {
                guard taken % 4 == 0, taken > 0, isWordByte(self.byte(next)) else { return false }
                at = next
                continue
            }
            guard isDigit(byte) || isLetter(byte) else { return false }
            let value = isDigit(byte) ? Int(byte) - 48 : Int(byte & 0xDF) - 55
            if taken < 4 {
                head = head * (value > 9 ? 100 : 10) + value
            } else {
                rest = (rest * (value > 9 ? 100 : 10) + value) % 97
            }
            taken += 1
            at += 1
        }
        guard !text.isWord(at: at), (rest * 1_000_000 + head) % 97 == 1 else { return false }
        return add(.iban, start, at)
    }

    /// A number of a security or of a company, in capitals.
    private mutating func visitRegistered(_ start: Int) -> Bool {
        guard enabled.has(.isin) || enabled.has(.lei) else { return false }
        var end = start
        let limit = min(count, start + 21)
        while end < limit, isDigit(base[end]) || base[end] &- UInt8(ascii: "A") < 26 { end += 1 }
        guard end - start >= 12, !text.isWord(at: end) else { return false }
        switch end - start {
        case 12: return Checksums.isin(base + start) && add(.isin, start, end)
        case 20: return Checksums.lei(base + start) && add(.lei, start, end)
        default: return false
        }
    }

    mutating func visitNino(_ start: Int) -> Bool {
        let first = base[start]
        let second = base[start + 1]
        guard text.isCapital(start), text.isCapital(start + 1) else { return false }
        for letter in "DFIQUV".utf8 where first == letter || second == letter { return false }
        if second == UInt8(ascii: "O") { return false }
        for pair in ["bg", "gb", "kn", "nk", "nt", "tn", "zz"] as [StaticString] where text.hasWord(pair, start) {
            return false
        }
        var at = start + 2
        for _ in 0..<3 {
            if byte(at) == UInt8(ascii: " ") { at += 1 }
            guard text.hasDigits(at, 2) else { return false }
            at += 2
        }
        if byte(at) == UInt8(ascii: " ") { at += 1 }
        guard (UInt8(ascii: "A")...UInt8(ascii: "D")).contains(byte(at)), !text.isWord(at: at + 1) else { return false }
        return add(.ukNino, start, at + 1)
    }

    private mutating func visitPan(_ start: Int) {
        guard text.hasDigits(start + 5, 4), text.isCapital(start + 9), !text.isWord(at: start + 10),
            (0..<5).allSatisfy({ text.isCapital(start + $0) }), !load(start + 5, 4).isZero(4)
        else { return }
        if "ABCFGHJLPT".utf8.contains(base[start + 3]) { add(.inPan, start, start + 10) }
    }

    private mutating func visitFiscalCode(_ start: Int) {
        guard !text.isWord(at: start + 16) else { return }
        for place in 0..<16 {
            let byte = byte(start + place) & (isLetter(byte(start + place)) ? 0xDF : 0xFF)
            let wantsLetter = place < 6 || place == 8 || place == 11 || place == 15
            // Where two people would have the same code, digits turn into these letters.
            let isLetterForDigit = "LMNPQRSTUV".utf8.contains(byte)
            guard wantsLetter ? isLetter(byte) : isDigit(byte) || isLetterForDigit else { return }
            digits[place] = byte
        }
        if Checksums.fiscalCode(digits) { add(.itFiscalCode, start, start + 16) }
    }

    // MARK: Digits that are followed by letters

    /// - Returns: whether what stands there is dealt with.
    mutating func visitDigitsAndLetters(_ at: Int) -> Bool {
        var end = at + 1
        let limit = min(count, at + 21)
        while end < limit, isDigit(base[end]) { end += 1 }
        let next = byte(end)
        let length = end - at
        if length > 7, next == UInt8(ascii: ":") || next == UInt8(ascii: "/") { return visitKey(digits: at, end) }
        if isLetter(next) {
            if visitAzure(at) { return true }
            if visitRegistered(at) { return true }
            if length == 8, !text.isWord(at: end + 1), Checksums.dni(Checksums.number(load(at, 8), 0..<8), next) {
                return add(.esDni, at, end + 1)
            }
            if length == 17, next | 0x20 == UInt8(ascii: "x"), !text.isWord(at: end + 1),
                Checksums.chineseIdentity(load(at, 17), last: UInt8(ascii: "X"))
            {
                return add(.cnIdentity, at, end + 1)
            }
            if length == 1, base[at] == UInt8(ascii: "0"), next == UInt8(ascii: "x") { return visitEthereum(at) }
            if length == 1, visitMbi(at) { return true }
            if base[at] == UInt8(ascii: "1") || base[at] == UInt8(ascii: "3"), visitBase58(at) { return true }
            if length == 2, byte(end + 2) == UInt8(ascii: "-"), let end = text.hardwareEnd(at, UInt8(ascii: "-")) {
                return addHardware(at, end)
            }
            return false
        }
        if length == 8, next == UInt8(ascii: "-"), isLetter(byte(end + 1)), !text.isWord(at: end + 2),
            Checksums.dni(Checksums.number(load(at, 8), 0..<8), byte(end + 1))
        {
            return add(.esDni, at, end + 2)
        }
        if length == 6, next == UInt8(ascii: "-") || next == UInt8(ascii: "+"), text.hasDigits(end + 1, 3),
            !text.isWord(at: end + 5)
        {
            _ = load(at, 6)
            for place in 0..<3 { digits[6 + place] = byte(end + 1 + place) - 48 }
            if Checksums.hetu(digits, byte(end + 4)) { return add(.fiHetu, at, end + 5) }
        }
        if length == 2, next == UInt8(ascii: "-"), let end = text.hardwareEnd(at, next) {
            return addHardware(at, end)
        }
        if length == 1, next == UInt8(ascii: "A"), visitMbi(at) { return true }
        return false
    }

    /// 9AX9-AX9-AA99 without S, L, O, I, B, Z; A a letter, 9 a digit, X either.
    private mutating func visitMbi(_ start: Int) -> Bool {
        guard enabled.has(.usMbi), base[start] != UInt8(ascii: "0") else { return false }
        let shape: StaticString = "9AX9AX9AA99"
        var at = start
        var dashes = 0
        for place in 0..<11 {
            if place == 4 || place == 7, byte(at) == UInt8(ascii: "-") {
                at += 1
                dashes += 1
            }
            let byte = byte(at)
            let isAllowed = byte &- UInt8(ascii: "A") < 26 && !"SLOIBZ".utf8.contains(byte)
            switch shape.utf8Start[place] {
            case UInt8(ascii: "9"): guard isDigit(byte) else { return false }
            case UInt8(ascii: "A"): guard isAllowed else { return false }
            default: guard isAllowed || isDigit(byte) else { return false }
            }
            at += 1
        }
        // Without hyphens random capitals and digits look like it.
        guard dashes == 2, !text.isWord(at: at) else { return false }
        return add(.usMbi, start, at)
    }

    // MARK: Cryptocurrencies

    private mutating func visitEthereum(_ start: Int) -> Bool {
        for place in 2..<42 where hexDigit(byte(start + place)) == nil { return false }
        guard !text.isWord(at: start + 42) else { return false }
        return add(.ethereumAddress, start, start + 42)
    }

    private mutating func visitBase58(_ start: Int) -> Bool {
        guard enabled.has(.bitcoinAddress) else { return false }
        var end = start
        while end - start < 36, let value = base58(byte(end)) {
            digits[end - start] = value
            end += 1
        }
        let length = end - start
        guard (26...35).contains(length), !text.isWord(at: end) else { return false }
        // Twenty-five bytes: version, hash, and the first four of the double SHA-256 of both.
        var bytes = [UInt8](repeating: 0, count: 25)
        for place in 0..<length {
            var carry = Int(digits[place])
            for index in stride(from: 24, through: 0, by: -1) {
                carry += Int(bytes[index]) * 58
                bytes[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            if carry != 0 { return false }
        }
        let check = Digest.sha256(Digest.sha256(Array(bytes[..<21])))
        guard check[..<4].elementsEqual(bytes[21...]) else { return false }
        return add(.bitcoinAddress, start, end)
    }

    private func base58(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x31...0x39: byte - 0x31
        case 0x41...0x48: byte - 0x41 + 9
        case 0x4A...0x4E: byte - 0x4A + 17
        case 0x50...0x5A: byte - 0x50 + 22
        case 0x61...0x6B: byte - 0x61 + 33
        case 0x6D...0x7A: byte - 0x6D + 44
        default: nil
        }
    }

    /// BIP 173 and BIP 350: the polynomial of `bc` and the data is 1, or 0x2bc830a3.
    private mutating func visitSegwit(_ start: Int) {
        let letters: StaticString = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
        var state: UInt32 = 1
        func mix(_ value: UInt32) {
            let top = state >> 25
            state = (state & 0x1FF_FFFF) << 5 ^ value
            if top & 1 != 0 { state ^= 0x3B6A_57B2 }
            if top & 2 != 0 { state ^= 0x2650_8E6D }
            if top & 4 != 0 { state ^= 0x1EA1_19FA }
            if top & 8 != 0 { state ^= 0x3D42_33DD }
            if top & 16 != 0 { state ^= 0x2A14_62B3 }
        }
        for value in [3, 3, 0, 2, 3] as [UInt32] { mix(value) }
        var end = start + 3
        while end - start < 91, isWordByte(byte(end)) {
            let byte = byte(end)
            guard let value = (0..<32).first(where: { letters.utf8Start[$0] == byte }) else { return }
            mix(UInt32(value))
            end += 1
        }
        guard end - start >= 14, state == 1 || state == 0x2BC8_30A3 else { return }
        add(.bitcoinAddress, start, end)
    }
}

extension Checksums.Digits {
    fileprivate func isZero(_ count: Int) -> Bool { (0..<count).allSatisfy { self[$0] == 0 } }
}

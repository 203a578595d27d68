// Numbers: read once as groups of digits, then compared with every shape that such groups can have.
extension TextScanner {
    /// The first digit of a run.
    mutating func visitDigits(_ at: Int) {
        let previous = byte(at - 1)
        if text.isWord(before: at) {
            if isLetter(previous) { visitLettersAndDigits(at) }
            return
        }
        if previous == UInt8(ascii: "%") {
            if base[at] == UInt8(ascii: "4"), byte(at + 1) == UInt8(ascii: "0") { return visitAt(at - 1, width: 3) }
            // "%2B16055550123"
            if isDigit(byte(at + 2)), text.escapedMark(at - 1) != 0 { return visitNumber(at + 2) }
        }
        if previous == UInt8(ascii: " "), text.isCapital(at - 2), text.isCapital(at - 3),
            !text.isWord(before: at - 3), visitNino(at - 3)
        {
            return
        }
        if previous == UInt8(ascii: " "), visitBearer(at) { return }
        visitNumber(at)
    }

    private mutating func visitNumber(_ at: Int) {
        if visitDigitsAndLetters(at) { return }
        // Part of a slug or a UUID, of a decimal, or of a number with thousands apart.
        let (lead, place) = text.mark(before: at)
        let isJoined = lead == UInt8(ascii: "-") && text.isWord(at: place - 1)
        let isPart = (lead == UInt8(ascii: ".") || lead == UInt8(ascii: ",")) && isDigit(byte(place - 1))
        let (found, end) = readGroups(at)
        resume = max(resume, end)
        // A run of more digits than anything has is no group.
        guard found > 0 else { return }
        // Most numbers are a count, a version or a time of day; whatever has two groups or one has six digits as well.
        if found <= 2, groups[found - 1].offset + groups[found - 1].count < 6 { return }
        var index = 0
        while index < found {
            let isFree = index == 0 ? !isJoined && !isPart : groups[index - 1].separator != UInt8(ascii: ".")
            let taken = isFree ? match(index, found) : 0
            if taken > 0 { lastTaken = groups[index + taken - 1].end }
            index += max(1, taken)
        }
    }

    /// - Returns: how many groups there are, and where the last one ends.
    private func readGroups(_ start: Int) -> (count: Int, end: Int) {
        var at = start
        var total = 0
        var found = 0
        while found < Self.maxGroups {
            let first = at
            while at < count, isDigit(base[at]) {
                if at - first < Self.maxDigits { digits[total + at - first] = base[at] - 48 }
                at += 1
            }
            groups[found] = Group(start: first, end: at, separator: 0, offset: total)
            // Nothing has so many digits.
            if at - first > Self.maxDigits {
                groups[found].end = first
                return (found, at)
            }
            total += at - first
            found += 1
            let (separator, next) = self.separator(at)
            guard separator != 0, found < Self.maxGroups else { return (found, at) }
            groups[found - 1].separator = separator
            at = next
        }
        return (found, at)
    }

    /// What stands between two groups of digits, and where the second begins.
    private func separator(_ at: Int) -> (UInt8, Int) {
        let first = byte(at)
        // What separates is below the digits, or not ASCII.
        guard first <= UInt8(ascii: "/") || first >= 0xC2 else { return (0, at) }
        let (mark, next) = text.mark(at)
        switch mark {
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"):
            if isDigit(byte(next)) { return (mark, next) }
            // "+44 (0)20", "1 (605) 555"
            let (bracket, end) = text.mark(next)
            if bracket == UInt8(ascii: "("), isDigit(byte(end)) { return (UInt8(ascii: ")"), end) }
        case UInt8(ascii: ")"):
            if isDigit(byte(next)) { return (mark, next) }
            let (space, end) = text.mark(next)
            if space == UInt8(ascii: " ") || space == UInt8(ascii: "-"), isDigit(byte(end)) { return (mark, end) }
        case UInt8(ascii: "("):
            if isDigit(byte(next)) { return (UInt8(ascii: ")"), next) }
        default: break
        }
        return (0, at)
    }

    /// - Returns: how many groups from `index` on make up what was found; 0 for nothing.
    private mutating func match(_ index: Int, _ found: Int) -> Int {
        let group = groups.baseAddress.unsafelyUnwrapped + index
        let left = found - index
        if left >= 4, endsFree(index + 3), isAddress(group) {
            // "Chrome/10.15.7.1"
            let isVersion =
                byte(group.pointee.start - 1) == UInt8(ascii: "/") && text.isWord(at: group.pointee.start - 2)
            if !isVersion, byte(group[3].end) != UInt8(ascii: ".") || !isDigit(byte(group[3].end + 1)) {
                add(.ipAddress, group.pointee.start, group[3].end)
            }
            return 4
        }
        if let taken = matchTelephone(index, left, hasPrefix: true) { return taken }
        if let taken = matchShape(index, left) { return taken }
        if let taken = matchCard(index, left) { return taken }
        guard takesBareNumbers else { return 0 }
        if let taken = matchHinted(index, left) { return taken }
        return matchTelephone(index, left, hasPrefix: false) ?? 0
    }

    /// Whether a number may end with this group.
    func endsFree(_ index: Int) -> Bool {
        let end = groups[index].end
        let next = byte(end)
        if isWordByte(next) || next == UInt8(ascii: "@") { return false }
        if next == UInt8(ascii: "-") { return !text.isWord(at: end + 1) }
        if next == UInt8(ascii: ".") || next == UInt8(ascii: ",") { return !isDigit(byte(end + 1)) }
        return true
    }

    /// Whether the groups from `index` on have these lengths and are separated by this; `lengths` are characters.
    @inline(__always)
    private func has(_ lengths: StaticString, _ index: Int, _ left: Int, _ first: UInt8, or second: UInt8 = 0) -> Bool {
        let wanted = lengths.utf8CodeUnitCount
        guard left >= wanted else { return false }
        let separator = groups[index].separator
        for place in 0..<wanted {
            guard groups[index + place].count == Int(lengths.utf8Start[place]) - 48 else { return false }
            if place + 1 < wanted, groups[index + place].separator != separator { return false }
        }
        return wanted == 1 || separator == first || separator == second && second != 0
    }

    private mutating func take(_ detector: Detector, _ index: Int, _ wanted: Int) -> Int? {
        guard endsFree(index + wanted - 1) else { return nil }
        return add(detector, groups[index].start, groups[index + wanted - 1].end) ? wanted : nil
    }

    /// What its separators give away.
    private mutating func matchShape(_ index: Int, _ left: Int) -> Int? {
        let d = UnsafePointer(digits + groups[index].offset)
        let dash = UInt8(ascii: "-")
        let space = UInt8(ascii: " ")
        let dot = UInt8(ascii: ".")
        switch groups[index].count {
        case 3:
            if has("324", index, left, dash, or: takesBareNumbers ? space : dash) {
                if Checksums.ssn(d) { return take(.usSsn, index, 3) }
                if Checksums.itin(d) { return take(.usItin, index, 3) }
            }
            if left >= 4, has("333", index, left, dot), groups[index + 2].separator == dash,
                groups[index + 3].count == 2, Checksums.cpf(d)
            {
                return take(.brCpf, index, 4)
            }
            if has("3442", index, left, dot, or: space), Checksums.ahv(d) { return take(.chAhv, index, 4) }
        case 2:
            if left >= 5, groups[index].separator == dot, groups[index + 1].separator == dot,
                groups[index + 2].separator == UInt8(ascii: "/"), groups[index + 3].separator == dash,
                groups[index + 1].count == 3, groups[index + 2].count == 3, groups[index + 3].count == 4,
                groups[index + 4].count == 2, Checksums.cnpj(d)
            {
                return take(.brCnpj, index, 5)
            }
            if left >= 5, has("222", index, left, dot), groups[index + 2].separator == dash,
                groups[index + 3].count == 3, groups[index + 3].separator == dot, groups[index + 4].count == 2,
                Checksums.belgian(d)
            {
                return take(.beNationalNumber, index, 5)
            }
        case 4:
            if has("444", index, left, space, or: dash),
                !isInside(index),
                left == 3 || groups[index + 2].separator == 0
                    || groups[index + 2].separator != groups[index].separator, Checksums.aadhaar(d)
            {
                return take(.inAadhaar, index, 3)
            }
        case 6:
            if has("67", index, left, dash), Checksums.koreanDate(d), (1...8).contains(d[6]) {
                return take(.krRrn, index, 2)
            }
        case 1:
            if left >= 6, has("122233", index, left, space, or: dot), d[0] == 1 || d[0] == 2 {
                let wanted = left > 6 && groups[index + 6].count == 2 ? 7 : 6
                if wanted == 7, Checksums.nir(d) { return take(.frNir, index, 7) }
            }
        case 15: if Checksums.nir(d), let taken = take(.frNir, index, 1) { return taken }
        case 18: if Checksums.chineseIdentity(d, last: d[17] + 48) { return take(.cnIdentity, index, 1) }
        default: break
        }
        return nil
    }

    /// Whether a group goes on in a number that is written in groups of as many digits.
    func isInside(_ index: Int) -> Bool {
        index > 0 && groups[index - 1].count == groups[index].count && groups[index - 1].end > lastTaken
            && groups[index - 1].separator == groups[index].separator
    }

    /// The longest run of groups, alike separated, that is a payment card.
    private mutating func matchCard(_ index: Int, _ left: Int) -> Int? {
        guard enabled.has(.creditCard), groups[index].count >= 4, !isInside(index) else { return nil }
        let separator = groups[index].separator
        let hasDots = has("4444", index, left, UInt8(ascii: "."))
        let d = UnsafePointer(digits + groups[index].offset)
        var total = 0
        var best: Int?
        for place in 0..<min(left, 5) {
            total += groups[index + place].count
            if total > 19 { break }
            let isShaped =
                place == 0
                ? total >= 12
                : groups[index].count <= 6 && groups[index + place].count >= 3
                    || place == 1 && groups[index].count == 8 && groups[index + 1].count == 8
            if isShaped || place == 4, place > 0 || takesBareNumbers, total >= 12, endsFree(index + place),
                Checksums.isCard(d, total)
            {
                // Milliseconds since 1970 have thirteen digits.
                let isSure = total > 13 || place > 0 && total > 12
                let end = groups[index + place].end
                if isSure || hints(groups[index].start, end).has(.creditCard) { best = place + 1 }
            }
            let next = groups[index + place].separator
            guard next == separator, next == UInt8(ascii: " ") || next == UInt8(ascii: "-") || hasDots else { break }
        }
        return best.flatMap { take(.creditCard, index, $0) }
    }

    /// Numbers that a word near them must name, however they are grouped.
    private mutating func matchHinted(_ index: Int, _ left: Int) -> Int? {
        var total = 0
        let d = UnsafePointer(digits + groups[index].offset)
        var best: (Detector, Int)?
        for place in 0..<min(left, 7) {
            total += groups[index + place].count
            if total > 15 { break }
            guard total >= 6 else { continue }
            guard endsFree(index + place) else { continue }
            if let detector = hinted(d, total, index, place) { best = (detector, place + 1) }
        }
        guard let (detector, wanted) = best else { return nil }
        return take(detector, index, wanted)
    }

    private mutating func hinted(_ d: Checksums.Digits, _ total: Int, _ index: Int, _ place: Int) -> Detector? {
        if total < 9, place != 2 || !isDateShape(index) { return nil }
        let near = hints(groups[index].start, groups[index + place].end)
        if near.rawValue == 0 { return nil }
        func pick(_ detector: Detector, _ isValid: Bool) -> Detector? {
            isValid && near.has(detector) ? detector : nil
        }
        switch total {
        case 6, 7, 8: return pick(.dateOfBirth, !isOtherDate(groups[index].start))
        case 9:
            return pick(.usSsn, near.has(.usSsn) && Checksums.ssn(d))
                ?? pick(.usItin, near.has(.usItin) && Checksums.itin(d))
                ?? pick(.usEin, place == 1 && groups[index].count == 2 && Checksums.ein(d))
                ?? pick(.abaRouting, Checksums.abaPrefix(d) && Checksums.aba(d)) ?? pick(.caSin, Checksums.sin(d))
                ?? pick(.nlBsn, Checksums.bsn(d)) ?? pick(.ptNif, Checksums.nif(d)) ?? pick(.auTfn, Checksums.tfn(d))
                ?? pick(.passport, true)
        case 10:
            return pick(.ukNhs, Checksums.nhs(d)) ?? pick(.usNpi, Checksums.npi(d)) ?? pick(.ukUtr, Checksums.utr(d))
                ?? pick(.sePersonnummer, Checksums.personnummer(d)) ?? pick(.dkCpr, Checksums.cpr(d))
        case 11:
            return pick(.brCpf, Checksums.cpf(d)) ?? pick(.deTaxId, Checksums.germanTax(d))
                ?? pick(.beNationalNumber, Checksums.belgian(d)) ?? pick(.plPesel, Checksums.pesel(d))
                ?? pick(.noFodselsnummer, Checksums.fodselsnummer(d)) ?? pick(.trKimlik, Checksums.kimlik(d))
                ?? pick(.auAbn, Checksums.abn(d))
        case 12:
            return pick(.inAadhaar, Checksums.aadhaar(d)) ?? pick(.jpMyNumber, Checksums.myNumber(d))
                ?? pick(.sePersonnummer, Checksums.personnummer(d + 2))
        case 13:
            return pick(.zaId, Checksums.southAfrican(d)) ?? pick(.krRrn, Checksums.koreanDate(d))
                ?? pick(.chAhv, Checksums.ahv(d))
        case 14: return pick(.brCnpj, Checksums.cnpj(d))
        case 15: return pick(.imei, Checksums.luhn(d, 15)) ?? pick(.frNir, Checksums.nir(d))
        default: return nil
        }
    }

    /// Whether the words right before a day say that it is another than somebody's birth.
    private func isOtherDate(_ start: Int) -> Bool {
        let near = max(0, start - ContextWords.near)..<start
        guard !words.hints(in: base, near).has(.dateOfBirth) else { return false }
        return near.contains { at in
            isLetter(base[at]) && !text.isWord(before: at) && Self.otherDates.contains { text.hasWord($0, at) }
        }
    }

    /// What words for such days begin with.
    private static let otherDates: [StaticString] = [
        "invoice", "due", "issue", "expir", "order", "deliver", "paid", "ship", "book", "party", "until", "deadline",
        "meeting", "dated", "created", "updated",
    ]

    /// Whether three groups from `index` on can be a day: 2024-11-20, 20.11.2024, 11/20/24.
    func isDateShape(_ index: Int) -> Bool {
        let group = groups.baseAddress.unsafelyUnwrapped + index
        guard group[0].separator == group[1].separator, group[0].separator != UInt8(ascii: ")") else { return false }
        // What goes on in the same way is no day.
        if group[2].separator != 0, group[2].separator == group[0].separator { return false }
        func value(_ place: Int) -> Int { Checksums.number(digits + group[place].offset, 0..<group[place].count) }
        if group[0].count == 4 {
            guard group[1].count <= 2, group[2].count <= 2, (1850...2150).contains(value(0)) else { return false }
            return Checksums.isDate(day: value(2), month: value(1))
        }
        guard group[0].count <= 2, group[1].count <= 2, group[2].count == 4 || group[2].count == 2 else { return false }
        if group[2].count == 2, group[0].separator == UInt8(ascii: " ") { return false }
        if group[2].count == 4, !(1850...2150).contains(value(2)) { return false }
        return Checksums.isDate(day: value(0), month: value(1)) || Checksums.isDate(day: value(1), month: value(0))
    }
}

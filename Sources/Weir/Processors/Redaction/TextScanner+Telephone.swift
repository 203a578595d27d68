// Telephone numbers: those that look like nothing else, and those that a word near them names.
extension TextScanner {
    /// - Parameter hasPrefix: looks for those with `+`, `00` or a bracket only, which go before other shapes.
    /// - Returns: how many groups it takes.
    mutating func matchTelephone(_ index: Int, _ left: Int, hasPrefix: Bool) -> Int? {
        guard enabled.has(.phone) else { return nil }
        let start = groups[index].start
        if hasPrefix {
            let (lead, place) = text.mark(before: start)
            guard lead == UInt8(ascii: "+") || lead == UInt8(ascii: "("),
                !text.isWord(before: place) || text.escapedMark(place - 3) != 0
            else { return nil }
            if lead == UInt8(ascii: "+") { return international(index, left, place, code: 0) }
            guard takesBareNumbers, (2...5).contains(groups[index].count), groups[index].separator == UInt8(ascii: ")")
            else { return nil }
            return bracketed(index, left, place)
        }
        // What looks like a social security number, and is none.
        if left > 2, groups[index].count == 3, groups[index + 1].count == 2, groups[index + 2].count == 4 { return nil }
        return american(index, left) ?? grouped(index, left) ?? hinted(index, left)
    }

    private func isDigitZero(_ index: Int) -> Bool { digits[groups[index].offset] == 0 }

    /// `+` and eight to fifteen digits.
    private mutating func international(_ index: Int, _ left: Int, _ start: Int, code: Int) -> Int? {
        let first = digits[groups[index].offset]
        guard first != 0 else { return nil }
        let limit = first == 1 ? 11 : 15
        var total = 0
        var best: Int?
        for place in 0..<left {
            total += groups[index + place].count
            if total > limit { break }
            // A number that is whole already is not continued behind a space by what is no group of a number.
            if let best, total > 13, best > 1, groups[index + place - 1].separator == UInt8(ascii: " ") { break }
            if total >= 8, endsTelephone(index + place) { best = place + 1 }
        }
        return best.flatMap { finish(index, $0, start) }
    }

    /// `(0161) 496 0123`, `(605) 555-0123`
    private mutating func bracketed(_ index: Int, _ left: Int, _ start: Int) -> Int? {
        var total = 0
        var best: Int?
        for place in 0..<min(left, 6) {
            let group = groups[index + place]
            if place > 1, groups[index + place - 1].separator == UInt8(ascii: "/") { break }
            total += group.count
            if total > 12 { break }
            if total >= 8, place > 0, endsTelephone(index + place) { best = place + 1 }
            if total == 10, groups[index].count == 3, !isDigitZero(index) { break }
        }
        return best.flatMap { finish(index, $0, start) }
    }

    /// `605-555-0123`, `1.605.555.0123`, `001-605-555-0123x12`
    private mutating func american(_ index: Int, _ left: Int) -> Int? {
        var first = index
        let lead = groups[index]
        let isOne = lead.count == 1 && digits[lead.offset] == 1
        let isLong = lead.count == 3 && Checksums.number(digits + lead.offset, 0..<3) == 1
        if isOne || isLong { first += 1 }
        guard left >= first - index + 3 else { return nil }
        let area = groups[first]
        guard area.count == 3, groups[first + 1].count == 3, groups[first + 2].count == 4 else { return nil }
        let exchange = groups[first + 1]
        guard digits[area.offset] > 1, digits[exchange.offset] > 1 else { return nil }
        guard area.separator == exchange.separator || area.separator == UInt8(ascii: ")"),
            area.separator != UInt8(ascii: "/")
        else { return nil }
        let end = groups[first + 2].end
        guard endsTelephone(first + 2) else { return nil }
        // Three groups with spaces are too often three numbers.
        if area.separator == UInt8(ascii: " "), first == index, !hasExtension(end), !isStrict {
            let near = hints(lead.start, end)
            guard near.has(.phone) || near.contains(.phoneLoosely) else { return nil }
        }
        return finish(index, first - index + 3, lead.start)
    }

    /// A trunk zero and groups: `0161 496 0123`, `06 12 34 56 78`, `030/1234567`; `00` and a country code.
    private mutating func grouped(_ index: Int, _ left: Int) -> Int? {
        let lead = groups[index]
        guard lead.count >= 2, lead.count <= 5, digits[lead.offset] == 0 else { return nil }
        let isInternational = digits[lead.offset + 1] == 0
        if lead.separator == UInt8(ascii: "."), left >= 5, lead.count == 2 {
            // "01.23.45.67.89", as it is written in France.
            for place in 0..<5 where groups[index + place].count != 2 { return nil }
            return endsTelephone(index + 4) ? finish(index, 5, lead.start) : nil
        }
        guard
            lead.separator == UInt8(ascii: " ") || lead.separator == UInt8(ascii: "-")
                || lead.separator == UInt8(ascii: "/"), left > 1
        else { return nil }
        if left > 2, isDateShape(index) { return nil }
        if !isInternational, lead.count == 2, groups[index + 1].count == 2, lead.separator == UInt8(ascii: " ") {
            // "01 23 45 67 89"; pairs that go on are bytes, or days.
            if isInside(index) { return nil }
            var pairs = 1
            while pairs < left, groups[index + pairs].count == 2, groups[index + pairs - 1].separator == lead.separator
            {
                pairs += 1
            }
            guard pairs == 5, left == 5 || groups[index + 4].separator != lead.separator else { return nil }
        }
        var total = lead.count
        var best: Int?
        for place in 1..<min(left, 6) {
            let separator = groups[index + place - 1].separator
            guard separator == lead.separator || separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-"),
                groups[index + place].count >= (isInternational && place == 1 ? 1 : 2)
            else { break }
            total += groups[index + place].count
            if total > (isInternational ? 15 : 12) { break }
            if total >= 9, endsTelephone(index + place) { best = place + 1 }
        }
        // Two numbers side by side, the first with leading zeros, are no telephone number.
        guard let best, best > 2 || lead.count > 2 || lead.separator != UInt8(ascii: " ") else { return nil }
        if best == 2, word(before: lead.start, Self.counters) != nil { return nil }
        return finish(index, best, lead.start)
    }

    /// Seven to fifteen digits beside a word for a telephone; grouped ones also beside a word such as "call".
    private mutating func hinted(_ index: Int, _ left: Int) -> Int? {
        var total = 0
        var best: Int?
        for place in 0..<min(left, 6) {
            total += groups[index + place].count
            if total > 15 || place > 0 && groups[index + place].count < 2 { break }
            if total >= 7, endsTelephone(index + place) { best = place + 1 }
            if total > 9, groups[index + place].separator == UInt8(ascii: "/") { break }
        }
        guard let best, !isTime(index, left), byte(groups[index].start - 1) != UInt8(ascii: "#") else { return nil }
        let separator = groups[index].separator
        // A decimal.
        if best == 2, separator == UInt8(ascii: ".") { return nil }
        let near = hints(groups[index].start, groups[index + best - 1].end)
        let isRange = best == 2 && separator == UInt8(ascii: "-") && groups[index].count == groups[index + 1].count
        let isGrouped = best > 1 && separator != UInt8(ascii: ".") && groups[index].count < 6 && !isRange
        guard
            near.has(.phone) || isGrouped && near.contains(.phoneLoosely) && !isCount(index, best)
                || best == 1 && (10...11).contains(groups[index].count) && isCalled(index)
        else { return nil }
        return finish(index, best, groups[index].start)
    }

    /// A number with its thousands apart, or several numbers of four digits and more side by side.
    private func isCount(_ index: Int, _ taken: Int) -> Bool {
        let goesOn =
            index > 0 && groups[index - 1].separator == groups[index].separator
            && groups[index - 1].end > lastTaken
        if groups[index].count > 3, groups[index + 1].count > 3, taken > 2 || goesOn && groups[index - 1].count > 3 {
            return true
        }
        guard taken > 2, groups[index].count < 3 || goesOn else { return false }
        return (1..<taken).allSatisfy { groups[index + $0].count == 3 }
            && word(before: groups[index].start, Self.places) == nil
    }

    /// Whether the words right before ten or eleven digits say that somebody is called there: "call me on", "reach us
    /// at", "unter" with a trunk zero.
    private func isCalled(_ index: Int) -> Bool {
        let start = groups[index].start
        if word(before: start, Self.calls) != nil || isDigitZero(index) && word(before: start, ["unter"]) != nil {
            return true
        }
        guard var at = word(before: start, Self.links) else { return false }
        for _ in 0..<4 {
            if word(before: at, Self.calls) != nil || word(before: at, Self.contacts) != nil { return true }
            guard let next = word(before: at, Self.people) else { return false }
            at = next
        }
        return false
    }

    private static let calls: [StaticString] = ["call", "calling", "called", "dial", "dialled", "phone"]
    private static let contacts: [StaticString] = [
        "reach", "ring", "text", "contact", "message", "reached", "available", "erreichbar", "erreichen",
    ]
    private static let links: [StaticString] = ["on", "at", "to", "under", "unter", "me", "us", "number"]
    private static let places: [StaticString] = ["on", "at", "under", "unter"]
    private static let people: [StaticString] = [
        "me", "us", "him", "her", "them", "you", "my", "our", "his", "the", "back", "directly", "mich", "uns",
    ]
    /// What stands before numbers that count something.
    private static let counters: [StaticString] = ["page", "pages", "line", "row", "chapter", "section", "item"]

    /// - Returns: where the word begins that stands right before a place, if it is one of these.
    private func word(before place: Int, _ words: [StaticString]) -> Int? {
        var end = place
        if byte(end - 1) == UInt8(ascii: " ") { end -= 1 }
        if byte(end - 1) == UInt8(ascii: ":") { end -= 1 }
        guard end < place else { return nil }
        for word in words {
            let start = end - word.utf8CodeUnitCount
            if text.hasWord(word, start), !text.isWord(before: start) { return start }
        }
        return nil
    }

    /// Days, and seconds or milliseconds since 1970.
    private func isTime(_ index: Int, _ left: Int) -> Bool {
        let lead = groups[index]
        if left > 2, isDateShape(index) { return true }
        let two = lead.count > 1 ? Checksums.number(digits + lead.offset, 0..<2) : 0
        return (lead.count == 10 || lead.count == 13) && (16...18).contains(two) && !keyHints.has(.phone)
    }

    private mutating func finish(_ index: Int, _ taken: Int, _ start: Int) -> Int? {
        let end = groups[index + taken - 1].end
        return add(.phone, start, extensionEnd(end) ?? end) ? taken : nil
    }

    /// A number may also be followed by `-Home` or its like.
    private func endsTelephone(_ index: Int) -> Bool {
        let end = groups[index].end
        if endsFree(index) || hasExtension(end) { return true }
        return byte(end) == UInt8(ascii: "-") && isLetter(byte(end + 1)) && isLetter(byte(end + 2))
    }

    private func hasExtension(_ end: Int) -> Bool { extensionEnd(end) != nil }

    /// Where `x123`, ` ext. 12` or `#5` behind a number ends.
    private func extensionEnd(_ end: Int) -> Int? {
        var at = end
        if byte(at) == UInt8(ascii: " ") { at += 1 }
        if byte(at) | 0x20 == UInt8(ascii: "x") || byte(at) == UInt8(ascii: "#") {
            at += 1
        } else if text.hasWord("ext", at) {
            at += 3
            if byte(at) == UInt8(ascii: ".") { at += 1 }
            if byte(at) == UInt8(ascii: " ") { at += 1 }
        } else {
            return nil
        }
        let first = at
        while at - first < 6, isDigit(byte(at)) { at += 1 }
        return at > first && !text.isWord(at: at) ? at : nil
    }
}

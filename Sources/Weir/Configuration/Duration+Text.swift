extension Duration {
    /// Largest first, the order in which they may be written.
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// Reads `200ms`, `1h30m` or `0s`; nil where the text is something else or is longer than 292 years.
    init?(parsing text: String) {
        var rest = text[...]
        var units = Self.units[...]
        var total: Int64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest[digits.endIndex...]
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest[name.endIndex...]
            guard let count = Int64(digits), let index = units.firstIndex(where: { $0.name == name }) else {
                return nil
            }
            let (part, isPartTooMuch) = count.multipliedReportingOverflow(by: units[index].nanoseconds)
            let (sum, isSumTooMuch) = total.addingReportingOverflow(part)
            guard !isPartTooMuch && !isSumTooMuch else { return nil }
            total = sum
            units = units[(index + 1)...]
        } while !rest.isEmpty
        self = .nanoseconds(total)
    }

    /// As it is written in the file, to the nanosecond: `1h30m`, `200ms`, `0s`.
    var text: String {
        var rest = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
        var text = ""
        for unit in Self.units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}

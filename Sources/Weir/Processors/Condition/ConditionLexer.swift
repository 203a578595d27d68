/// Cuts a condition into tokens. It never fails: what it does not know is a sign that the parser will not want.
struct ConditionLexer {
    private static let signs: Set<String> = ["==", "!=", "<=", ">=", "=~", "!~", "&&", "||"]

    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    mutating func next() -> ConditionToken {
        take { $0.properties.isWhitespace }
        let start = position
        guard let first = peek() else { return token(.end, from: start) }
        if first == "\"" || first == "'" { return string(closedBy: first) }
        if Self.isLetter(first) {
            take { Self.isLetter($0) || Self.isDigit($0) || $0 == "." }
            return token(.word, from: start)
        }
        if Self.isDigit(first) || first == "-" && peek(1).map(Self.isDigit) ?? false { return number() }
        position += peek(1).map { Self.signs.contains(text([first, $0])) } ?? false ? 2 : 1
        return token(.sign, from: start)
    }

    /// `1.5e-3` and `1h30m` are one token each.
    private mutating func number() -> ConditionToken {
        let start = position
        position += 1
        while let next = peek() {
            let isSignOfExponent = (next == "-" || next == "+") && ["e", "E"].contains(scalars[position - 1])
            guard Self.isLetter(next) || Self.isDigit(next) || next == "." || isSignOfExponent else { break }
            position += 1
        }
        return token(.number, from: start)
    }

    /// A backslash takes the special meaning from the quote and from a backslash; before anything else it is itself,
    /// so that regular expressions are written as everywhere.
    private mutating func string(closedBy quote: Unicode.Scalar) -> ConditionToken {
        let start = position
        var content: [Unicode.Scalar] = []
        position += 1
        while var next = peek(), next != quote {
            position += 1
            if next == "\\", let escaped = peek(), escaped == quote || escaped == "\\" {
                next = escaped
                position += 1
            }
            content.append(next)
        }
        guard peek() != nil else { return token(.unclosed, from: start) }
        position += 1
        return token(.string(text(content)), from: start)
    }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    private mutating func take(while belongs: (Unicode.Scalar) -> Bool) {
        while let next = peek(), belongs(next) { position += 1 }
    }

    private func token(_ kind: ConditionToken.Kind, from start: Int) -> ConditionToken {
        ConditionToken(kind: kind, text: text(scalars[start..<position]), column: start + 1)
    }

    private func text(_ scalars: some Collection<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.isASCII && scalar.properties.isAlphabetic
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        ("0"..."9").contains(scalar)
    }
}

/// A scalar as it stands in the file, after substitution.
struct ConfigText: Sendable, Equatable {
    let text: String
    /// Written in quotes or as a block, and so a string whatever it looks like.
    let isQuoted: Bool
    /// Holds the value of an environment variable, whose author could not choose the quotes.
    let isExpanded: Bool

    /// The value with the type that YAML 1.2's core schema gives it; nil for null.
    ///
    /// Departs from the schema where that would lose something: integers are decimal, and a leading zero or more than
    /// 64 bits make a string.
    var typed: ConfigScalar? {
        if isQuoted { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return nil
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if let integer { return .int(integer) }
        if Self.looksFractional(text), let number = Double(text), number.isFinite { return .double(number) }
        return .string(text)
    }

    var isNull: Bool { typed == nil }

    /// The value where an integer is wanted.
    var integer: Int64? {
        guard let text = unquoted else { return nil }
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard digits == "0" || !digits.hasPrefix("0") else { return nil }
        return Int64(text)
    }

    /// The value where a number is wanted.
    var number: Double? {
        guard let text = unquoted else { return nil }
        if let integer { return Double(integer) }
        guard Self.looksFractional(text), let number = Double(text), number.isFinite else { return nil }
        return number
    }

    /// The value where a boolean is wanted.
    var bool: Bool? {
        guard let text = unquoted else { return nil }
        guard case .bool(let value) = ConfigText(text: text, isQuoted: false, isExpanded: false).typed else {
            return nil
        }
        return value
    }

    /// How a message names the value.
    var found: String {
        switch typed {
        case nil: "nothing"
        case .string(let text): "the string \(text.quotedForMessage)"
        case .some(let value): value.text
        }
    }

    private var unquoted: String? {
        isQuoted && !isExpanded ? nil : text
    }

    /// Keeps `Double.init` from taking `nan`, `infinity` and `0x1p3`.
    private static func looksFractional(_ text: String) -> Bool {
        text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) } && text.utf8.contains { ".eE".utf8.contains($0) }
    }
}

extension String {
    /// In quotes, with ``Unicode/Scalar/harmless`` characters, and cut where it is long: fit for one line of a
    /// message.
    var quotedForMessage: String {
        let limit = 80
        let shown = unicodeScalars.prefix(limit).map { scalar in
            scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : scalar.value < 0x20 ? " " : scalar.harmless
        }
        return "\"" + shown.joined() + (unicodeScalars.count > limit ? "…" : "") + "\""
    }
}

extension Unicode.Scalar {
    /// False for what would tell the terminal what to do, begin a line or hide a part of this one.
    private var isHarmless: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }

    /// As it may stand on a line that people read: `\u{1b}` for what is not harmless.
    var harmless: String { isHarmless ? String(self) : "\\u{\(String(value, radix: 16))}" }
}

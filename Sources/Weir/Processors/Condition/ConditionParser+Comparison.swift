// comparison = field [ operator ( literal | "[" literal { "," literal } "]" ) ]
extension ConditionParser {
    mutating func comparison() throws(ConfigError) -> ConditionExpression {
        let field = try field()
        guard let sign = token.keyword.flatMap(ConditionOperator.init(rawValue:)) else {
            return try bare(field)
        }
        guard field.type.operators.contains(sign) else { throw wantedOperator(field) }
        advance()
        switch sign {
        case .equal: return try equality(field)
        case .notEqual: return .not(try equality(field))
        case .isOneOf: return try membership(field)
        case .matches: return .test(field, .matches(try pattern()))
        case .doesNotMatch: return .not(.test(field, .matches(try pattern())))
        case .contains: return .test(field, .contains(try part(of: field)))
        case .startsWith: return .test(field, .startsWith(Array(try string().utf8)))
        case .endsWith: return .test(field, .endsWith(Array(try string().utf8)))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let order = sign.order else { throw wantedOperator(field) }
            return .test(field, .isOrdered(order, try bound(of: field)))
        }
    }

    /// field = word | ( "attributes" | "resource" | "resource.attributes" ) "[" string "]"
    private mutating func field() throws(ConfigError) -> ConditionField {
        if take("attributes") { return .attribute(try key()) }
        if take("resource", "resource.attributes") { return .resourceAttribute(try key()) }
        if token.kind == .word, let field = ConditionField.words.first(where: { $0.word == token.text })?.field {
            advance()
            return field
        }
        let words = ConditionField.words.map(\.word)
        let hint = token.kind == .word ? suggestion(for: token.text, among: words + ["attributes", "resource"]) : ""
        throw wanted("\(words.joined(separator: ", ")), attributes[\"key\"] or resource[\"key\"]\(hint)")
    }

    private mutating func key() throws(ConfigError) -> AttributeKey {
        guard take("[") else { throw wanted(#"["key"]"#) }
        let key = AttributeKey(try string())
        guard take("]") else { throw wanted(#""]""#) }
        return key
    }

    /// A field on its own asks whether it is true.
    private func bare(_ field: ConditionField) throws(ConfigError) -> ConditionExpression {
        let isComplete = token.kind == .end || token.keyword.map([")", "and", "or", "&&", "||"].contains) ?? false
        switch field.type {
        case .bool where isComplete, .any where isComplete: return .test(field, .equals(.bool(true)))
        default: throw wantedOperator(field)
        }
    }

    private func wantedOperator(_ field: ConditionField) -> ConfigError {
        wanted("one of \(field.type.operators.map(\.rawValue).joined(separator: " "))")
    }

    private mutating func membership(_ field: ConditionField) throws(ConfigError) -> ConditionExpression {
        if case .identifier = field.type {
            return .any(try list { parser throws(ConfigError) in try parser.equality(field) })
        }
        return .test(field, .isOneOf(try list { parser throws(ConfigError) in try parser.literal(of: field.type) }))
    }

    private mutating func list<Item>(
        _ read: (inout ConditionParser) throws(ConfigError) -> Item
    ) throws(ConfigError) -> [Item] {
        guard take("[") else { throw wanted(#"a list such as ["a", "b"]"#) }
        var items: [Item] = []
        repeat {
            guard items.count < Condition.maximumListCount else {
                throw error("found a list of more than \(Condition.maximumListCount) entries, wanted fewer")
            }
            items.append(try read(&self))
        } while take(",")
        guard take("]") else { throw wanted(#""," or "]""#) }
        return items
    }

    private mutating func equality(_ field: ConditionField) throws(ConfigError) -> ConditionExpression {
        if case .identifier(let digits, let isOptional) = field.type {
            if isOptional, take("nil") { return .test(field, .equals(.nil)) }
            return try identifier(field, digits: digits)
        }
        return .test(field, .equals(try literal(of: field.type)))
    }
}

// MARK: - Literals

extension ConditionParser {
    private mutating func literal(of type: ConditionField.ValueType) throws(ConfigError) -> ConditionLiteral {
        switch type {
        case .text: return ConditionLiteral(try string())
        case .word(let words): return try word(among: words)
        case .duration: return try duration()
        case .bool:
            guard let value = boolean() else { throw wanted("true or false") }
            return value
        case .any, .identifier:
            if take("nil") { return .nil }
            if let value = boolean() { return value }
            return try textOrNumber("a string, a number, true, false or nil")
        }
    }

    /// What `<` and `>` compare with.
    private mutating func bound(of field: ConditionField) throws(ConfigError) -> ConditionLiteral {
        guard case .any = field.type else { return try literal(of: field.type) }
        return try textOrNumber("a string or a number")
    }

    /// What `contains` looks for. An attribute may be an array, whose elements need not be texts.
    private mutating func part(of field: ConditionField) throws(ConfigError) -> ConditionLiteral {
        guard case .any = field.type else { return ConditionLiteral(try string()) }
        if let value = boolean() { return value }
        return try textOrNumber("a string, a number, true or false")
    }

    private mutating func boolean() -> ConditionLiteral? {
        if take("true") { return .bool(true) }
        return take("false") ? .bool(false) : nil
    }

    private mutating func textOrNumber(_ what: String) throws(ConfigError) -> ConditionLiteral {
        if case .string(let text) = token.kind {
            advance()
            return ConditionLiteral(text)
        }
        guard token.kind == .number else { throw wanted(what) }
        let text = token.text
        let isInteger = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D }
        if isInteger, let integer = Int64(text) {
            advance()
            return .int(integer)
        }
        let isFraction = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        // An integer that does not fit would become another number as a double.
        guard !isInteger, isFraction, let double = Double(text), double.isFinite else { throw wanted(what) }
        advance()
        return .double(double)
    }

    private mutating func string() throws(ConfigError) -> String {
        guard case .string(let text) = token.kind else { throw wanted("a string") }
        advance()
        return text
    }

    private mutating func pattern() throws(ConfigError) -> RegularExpression {
        guard case .string(let text) = token.kind else { throw wanted("a string with a regular expression") }
        do throws(RegularExpressionError) {
            let expression = try RegularExpression(text)
            advance()
            return expression
        } catch {
            throw wanted("a regular expression: \(error)")
        }
    }

    /// Quotes around the word are allowed, since they are around other texts.
    private mutating func word(among words: [String]) throws(ConfigError) -> ConditionLiteral {
        let name: String
        if case .string(let text) = token.kind { name = text } else { name = token.text }
        guard let index = words.firstIndex(of: name) else {
            throw wanted("one of \(words.joined(separator: ", "))\(suggestion(for: name, among: words))")
        }
        advance()
        return .int(Int64(index))
    }

    private mutating func duration() throws(ConfigError) -> ConditionLiteral {
        guard token.kind == .number, let duration = Duration(parsing: token.text) else {
            throw wanted("a duration such as 500ms, 2s or 1m30s")
        }
        advance()
        let (seconds, attoseconds) = duration.components
        return .int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// An id is compared as integers of 16 digits each.
    private mutating func identifier(
        _ field: ConditionField, digits: Int
    ) throws(ConfigError) -> ConditionExpression {
        guard case .string(let text) = token.kind, text.utf8.count == digits,
            text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let last = UInt64(text.suffix(16), radix: 16)
        else { throw wanted("a string of \(digits) hexadecimal digits") }
        advance()
        let test = ConditionExpression.test(field, .equals(.int(Int64(bitPattern: last))))
        guard case .traceIDHigh = field, let first = UInt64(text.prefix(16), radix: 16) else { return test }
        return .all([
            .test(.traceIDHigh, .equals(.int(Int64(bitPattern: first)))),
            .test(.traceIDLow, .equals(.int(Int64(bitPattern: last)))),
        ])
    }
}

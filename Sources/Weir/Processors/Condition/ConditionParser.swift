/// Reads a condition by recursive descent, one function for each rule of the grammar in docs/conditions.md.
struct ConditionParser {
    private var lexer: ConditionLexer
    private(set) var token: ConditionToken
    private var depth = 0

    init(_ text: String) throws(ConfigError) {
        guard text.utf8.count <= Condition.maximumLength else {
            throw ConfigError(
                found: "a condition of \(text.utf8.count) bytes", wanted: "at most \(Condition.maximumLength)")
        }
        lexer = ConditionLexer(text)
        token = lexer.next()
    }

    mutating func parse() throws(ConfigError) -> ConditionExpression {
        let expression = try alternatives()
        guard token.kind == .end else { throw wanted(#""and", "or" or the end"#) }
        return expression
    }

    /// alternatives = conjunction { "or" conjunction }
    private mutating func alternatives() throws(ConfigError) -> ConditionExpression {
        var parts = [try conjunction()]
        while take("or", "||") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    /// conjunction = negation { "and" negation }
    private mutating func conjunction() throws(ConfigError) -> ConditionExpression {
        var parts = [try negation()]
        while take("and", "&&") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    /// negation = "not" negation | "(" alternatives ")" | "true" | "false" | comparison
    private mutating func negation() throws(ConfigError) -> ConditionExpression {
        if token.keyword == "not" || token.keyword == "!" {
            try descend()
            let negated = try negation()
            depth -= 1
            return .not(negated)
        }
        if token.keyword == "(" {
            try descend()
            let inner = try alternatives()
            guard take(")") else { throw wanted(#""and", "or" or ")""#) }
            depth -= 1
            return inner
        }
        if take("true") { return .constant(true) }
        if take("false") { return .constant(false) }
        return try comparison()
    }

    /// Takes a `not` or an opening parenthesis.
    private mutating func descend() throws(ConfigError) {
        depth += 1
        guard depth <= Condition.maximumDepth else {
            throw error("found level \(depth) of parentheses and nots, wanted at most \(Condition.maximumDepth)")
        }
        advance()
    }
}

// What the rules are made of.
extension ConditionParser {
    mutating func advance() {
        token = lexer.next()
    }

    /// Takes the token if it is one of these words or signs.
    mutating func take(_ texts: String...) -> Bool {
        guard let keyword = token.keyword, texts.contains(keyword) else { return false }
        advance()
        return true
    }

    func wanted(_ what: String) -> ConfigError {
        error("found \(token.found), wanted \(what)")
    }

    func error(_ message: String) -> ConfigError {
        ConfigError("column \(token.column): \(message)")
    }
}

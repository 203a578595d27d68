// Getters that the processors share.
extension Fields {
    /// A regular expression that may be left out.
    mutating func expression(_ key: String, _ help: String) -> RegularExpression? {
        parsed(key, default: nil, type: "regular expression", help) { text throws(ConfigError) in
            try RegularExpression(parsing: text)
        }
    }

    /// One word of several, or none.
    mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type, _ help: String
    ) -> Choice? where Choice.RawValue == String {
        let words = Choice.allCases.map(\.rawValue)
        let wanted = "one of \(words.joined(separator: ", "))"
        return parsed(key, default: Choice?.none, type: wanted, help) { text throws(ConfigError) in
            guard let choice = Choice(rawValue: text) else {
                let hint = suggestion(for: text, among: words)
                throw ConfigError(found: text.quotedForMessage, wanted: wanted + hint)
            }
            return choice
        }
    }
}

extension RegularExpression {
    convenience init(parsing text: String) throws(ConfigError) {
        do throws(RegularExpressionError) {
            try self.init(text)
        } catch {
            throw ConfigError(found: text.quotedForMessage, wanted: "a regular expression: \(error)")
        }
    }
}

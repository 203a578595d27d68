/// A word, number, string or sign of a condition.
struct ConditionToken {
    enum Kind: Equatable {
        /// Letters, digits, `_` and `.`, beginning with a letter.
        case word
        /// What begins as a number does: `12`, `-1.5e3`, `500ms`.
        case number
        /// The text between the quotes.
        case string(String)
        /// A string without its closing quote.
        case unclosed
        /// An operator, a parenthesis, or what has no place in a condition.
        case sign
        case end
    }

    let kind: Kind
    /// As it was written.
    let text: String
    /// Counted from 1, in characters.
    let column: Int

    /// How a message names it.
    var found: String {
        switch kind {
        case .end: "the end"
        case .string(let text): "the string \(text.quotedForMessage)"
        case .unclosed: "a string that does not end"
        case .word, .number, .sign: text.quotedForMessage
        }
    }

    /// The text of a word or a sign, which means what it says; nil for numbers and strings.
    var keyword: String? {
        kind == .word || kind == .sign ? text : nil
    }
}

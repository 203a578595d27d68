/// SQL that holds its values apart from its words. What stands in `\(…)` is a value or other SQL, never a string: what
/// somebody wrote cannot become a part of the statement.
struct SQLText: ExpressibleByStringInterpolation, Sendable {
    private enum Part: Sendable {
        case words(String)
        case value(SQLValue)
    }

    private var parts: [Part] = []

    init(stringLiteral value: StaticString) {
        parts = [.words("\(value)")]
    }

    init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.text
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: SQLText = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: StaticString) { text.parts.append(.words("\(literal)")) }
        mutating func appendInterpolation(_ value: SQLValue) { text.parts.append(.value(value)) }
        mutating func appendInterpolation(_ text: SQLText) { self.text += text }
    }

    static func += (left: inout SQLText, right: SQLText) {
        left.parts += right.parts
    }

    /// The statement as a database gets it, with the values that belong to its parameters.
    func rendered(for dialect: SQLDialect) -> (text: String, values: [SQLValue]) {
        var text = ""
        var values: [SQLValue] = []
        for part in parts {
            switch part {
            case .words(let words): text += words
            case .value(.traceID(let id)) where dialect == .sqlite:
                // GRDB binds bytes only as Foundation's Data. These are digits, whatever anybody wrote.
                text += "x'\(id.text)'"
            case .value(let value):
                values.append(value)
                text += dialect.parameter(values.count, value)
            }
        }
        return (text, values)
    }
}

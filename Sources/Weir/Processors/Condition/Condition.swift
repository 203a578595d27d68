/// A question about a span, as `filter` and the sampling rules ask it: `kind == server and duration > 2s`.
///
/// docs/conditions.md has the language. What parses cannot fail later: a missing attribute is nil, and a value of
/// another type is not equal.
struct Condition: Sendable {
    /// Bytes of text.
    static let maximumLength = 4096
    /// Parentheses and `not`s around one comparison.
    static let maximumDepth = 64
    /// Literals behind `in`.
    static let maximumListCount = 256

    private static let accept = -1
    private static let reject = -2

    let expression: ConditionExpression
    private var steps = ConditionSteps()
    private let entry: Int

    /// - Throws: which column has what, and what was wanted there.
    init(parsing text: String) throws(ConfigError) {
        var parser = try ConditionParser(text)
        self.init(try parser.parse())
    }

    init(_ expression: ConditionExpression) {
        self.expression = expression
        entry = steps.add(expression, ifTrue: Self.accept, ifFalse: Self.reject)
    }

    func matches(_ batch: borrowing Batch, span: SpanRecord) -> Bool {
        steps.end(from: entry, for: span, in: batch) == Self.accept
    }
}

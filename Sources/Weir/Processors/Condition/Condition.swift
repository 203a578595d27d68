/// A question about a span, as `filter` and the sampling rules ask it: `kind == server and duration > 2s`.
///
/// docs/conditions.md has the language. What parses cannot fail later: a missing attribute is nil, and a value of
/// another type is not equal.
struct Condition: Sendable {
    /// A test, and where to go from it. `and`, `or` and `not` are nothing but these ways, so a condition runs as one
    /// loop.
    private struct Step: Sendable {
        let test: ConditionTest
        let ifTrue: Int
        let ifFalse: Int
    }

    /// Bytes of text.
    static let maximumLength = 4096
    /// Parentheses and `not`s around one comparison.
    static let maximumDepth = 64
    /// Literals behind `in`.
    static let maximumListCount = 256

    private static let accept = -1
    private static let reject = -2

    private var steps: [Step] = []
    private var entry = Condition.reject

    /// - Throws: which column has what, and what was wanted there.
    init(parsing text: String) throws(ConfigError) {
        var parser = try ConditionParser(text)
        self.init(try parser.parse())
    }

    init(_ expression: ConditionExpression) {
        entry = add(expression, ifTrue: Self.accept, ifFalse: Self.reject)
    }

    func matches(_ batch: borrowing Batch, span: SpanRecord) -> Bool {
        var next = entry
        while next >= 0 {
            let isTrue = steps[next].test.holds(for: span, in: batch)
            next = isTrue ? steps[next].ifTrue : steps[next].ifFalse
        }
        return next == Self.accept
    }

    /// Adds the steps of an expression, the last first, because each has to know where it leads.
    /// - Returns: the first step.
    private mutating func add(_ expression: ConditionExpression, ifTrue: Int, ifFalse: Int) -> Int {
        switch expression {
        case .constant(let value): return value ? ifTrue : ifFalse
        case .test(let test):
            steps.append(Step(test: test, ifTrue: ifTrue, ifFalse: ifFalse))
            return steps.count - 1
        case .not(let negated): return add(negated, ifTrue: ifFalse, ifFalse: ifTrue)
        case .all(let parts):
            return parts.reversed().reduce(ifTrue) { next, part in add(part, ifTrue: next, ifFalse: ifFalse) }
        case .any(let parts):
            return parts.reversed().reduce(ifFalse) { next, part in add(part, ifTrue: ifTrue, ifFalse: next) }
        }
    }
}

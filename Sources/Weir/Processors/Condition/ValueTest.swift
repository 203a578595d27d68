/// What a condition asks of a value. `!=` and `!~` are the negations of `==` and `=~`, also where there is no value.
enum ValueTest: Sendable {
    enum Order: Sendable {
        case less, lessOrEqual, greater, greaterOrEqual
    }

    case equals(ConditionLiteral)
    case isOneOf([ConditionLiteral])
    case isOrdered(Order, ConditionLiteral)
    case matches(RegularExpression)
    /// The same, of numbers and booleans as text.
    case matchesAsText(RegularExpression)
    /// The text has this part, or the array this element.
    case contains(ConditionLiteral)
    case startsWith([UInt8])
    case endsWith([UInt8])

    /// - Parameter budget: of the request that the value is of.
    func holds(for value: AnyValue?, within budget: inout MatchBudget) -> Bool {
        switch self {
        case .equals(let literal): literal.equals(value)
        case .isOneOf(let literals): literals.contains { $0.equals(value) }
        case .isOrdered(let order, let literal): literal.order(of: value).map(order.holds) ?? false
        case .matches(let expression): text(value) { expression.matches($0, within: &budget) }
        case .matchesAsText(let expression): asText(value) { expression.matches($0, within: &budget) }
        case .contains(let literal): contains(literal, value)
        case .startsWith(let part): text(value) { text in part.withUnsafeBytes { text.starts(with: $0) } }
        case .endsWith(let part): text(value) { text in part.withUnsafeBytes { text.ends(with: $0) } }
        }
    }

    @inline(__always)
    private func text(_ value: AnyValue?, _ holds: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        guard case .string(let text) = value else { return false }
        return holds(text)
    }

    private func asText(_ value: AnyValue?, _ holds: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        let text: String
        switch value {
        case .bool(let flag): text = flag ? "true" : "false"
        case .int(let number): text = "\(number)"
        case .double(let number): text = number.plainText
        default: return self.text(value, holds)
        }
        return Array(text.utf8).withUnsafeBytes(holds)
    }

    private func contains(_ literal: ConditionLiteral, _ value: AnyValue?) -> Bool {
        switch (literal, value) {
        case (.text(let part), .string(let text)): part.withUnsafeBytes { text.contains(part: $0) }
        case (_, .array(let elements)): elements.contains { literal.equals($0) }
        default: false
        }
    }
}

extension ValueTest.Order {
    /// - Parameter order: of the value to the literal.
    func holds(_ order: Int) -> Bool {
        switch self {
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

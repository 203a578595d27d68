/// A condition as it was written, or as the `include` and `exclude` of a processor mean it.
indirect enum ConditionExpression: Sendable {
    case constant(Bool)
    case test(ConditionTest)
    case not(ConditionExpression)
    /// True where all are, and where there is none.
    case all([ConditionExpression])
    /// True where one is; false where there is none.
    case any([ConditionExpression])
}

extension ConditionExpression {
    static func test(_ field: ConditionField, _ test: ValueTest) -> ConditionExpression {
        .test(ConditionTest(field: field, test: test))
    }
}

extension ConditionExpression {
    /// Of attributes whose values matter to it, and not only whether they are there.
    var keys: [AttributeKey] {
        switch self {
        case .constant: []
        case .test(let test): test.key.map { [$0] } ?? []
        case .not(let part): part.keys
        case .all(let parts), .any(let parts): parts.flatMap(\.keys)
        }
    }
}

/// One comparison.
struct ConditionTest: Sendable {
    let field: ConditionField
    let test: ValueTest

    fileprivate var key: AttributeKey? {
        if case .equals(.nil) = test { return nil }
        switch field {
        case .attribute(let key), .resourceAttribute(let key): return key
        default: return nil
        }
    }

    @inline(__always)
    func holds(for span: SpanRecord, in batch: borrowing Batch) -> Bool {
        test.holds(for: field.value(of: span, in: batch), within: &batch.arena.pointee.matchBudget)
    }
}

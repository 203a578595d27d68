/// Conditions as tests, each with where to go from it. `and`, `or` and `not` are nothing but these ways, so a condition
/// runs as one loop, and so do several of which the first that matches is wanted.
struct ConditionSteps: Sendable {
    private struct Step: Sendable {
        let test: ConditionTest
        let ifTrue: Int
        let ifFalse: Int
        /// Where to go from a span that has no attribute with the key that is asked for.
        let ifMissing: Int
        /// Of that key in ``keys``; 0 where no attribute of the span is asked for.
        let key: KeySet.Bits
    }

    private var steps: [Step] = []
    /// Of the attributes that spans are asked for.
    var keys = KeySet()

    /// Adds the steps of an expression, the last first, because each has to know where it leads.
    /// - Parameters:
    ///   - ifTrue: where to go if it holds: a step that there is, or less than 0, which is an end.
    ///   - ifFalse: the same if it does not.
    /// - Returns: the first step.
    mutating func add(_ expression: ConditionExpression, ifTrue: Int, ifFalse: Int) -> Int {
        switch expression {
        case .constant(let value): return value ? ifTrue : ifFalse
        case .test(let test):
            var bits: KeySet.Bits = 0
            if case .attribute(let key) = test.field { bits = keys.insert(key) }
            var budget = MatchBudget()
            steps.append(
                Step(
                    test: test, ifTrue: ifTrue, ifFalse: ifFalse,
                    ifMissing: test.test.holds(for: nil, within: &budget) ? ifTrue : ifFalse, key: bits))
            return steps.count - 1
        case .not(let negated): return add(negated, ifTrue: ifFalse, ifFalse: ifTrue)
        case .all(let parts):
            return parts.reversed().reduce(ifTrue) { next, part in add(part, ifTrue: next, ifFalse: ifFalse) }
        case .any(let parts):
            return parts.reversed().reduce(ifFalse) { next, part in add(part, ifTrue: ifTrue, ifFalse: next) }
        }
    }

    /// Goes from a step, or an end, to an end.
    /// - Parameter present: those of ``keys`` that the span may have.
    @inline(__always)
    func end(from entry: Int, for span: SpanRecord, _ present: KeySet.Bits = .max, in batch: borrowing Batch) -> Int {
        var next = entry
        while next >= 0 {
            let key = steps[next].key
            if key != 0, present & key == 0 {
                next = steps[next].ifMissing
            } else {
                next = steps[next].test.holds(for: span, in: batch) ? steps[next].ifTrue : steps[next].ifFalse
            }
        }
        return next
    }

    /// Goes as far as what is asked is the same for all spans of a scope.
    /// - Returns: the first step at which a span is asked something of its own, or an end.
    func way(from entry: Int, throughScope scope: Int, of batch: borrowing Batch) -> Int {
        var span = SpanRecord()
        span.scope = UInt32(truncatingIfNeeded: scope)
        var next = entry
        while next >= 0, steps[next].test.field.isShared {
            next = steps[next].test.holds(for: span, in: batch) ? steps[next].ifTrue : steps[next].ifFalse
        }
        return next
    }
}

/// Conditions of which the first that matches a span is wanted.
struct ConditionList: Sendable {
    private static let none = -1

    private var steps = ConditionSteps()
    private var entry = ConditionList.none

    /// - Parameters:
    ///   - conditions: nil matches every span.
    ///   - keys: of attributes that somebody else asks the same spans for.
    init(_ conditions: [Condition?], besides keys: KeySet) {
        steps.keys = keys
        for (index, condition) in conditions.enumerated().reversed() {
            let found = Self.none - 1 - index
            entry = condition.map { steps.add($0.expression, ifTrue: found, ifFalse: entry) } ?? found
        }
    }

    /// Where to begin with the spans of a scope: what is asked of the resource and the scope is asked once for all.
    func entry(forScope scope: Int, of batch: borrowing Batch) -> Int {
        steps.way(from: entry, throughScope: scope, of: batch)
    }

    /// Of all attributes that spans are asked for.
    var keys: KeySet { steps.keys }

    /// The position of the first that matches.
    /// - Parameters:
    ///   - present: those of ``keys`` that the span may have.
    ///   - entry: of its scope.
    @inline(__always)
    func first(
        matching span: SpanRecord, _ present: KeySet.Bits, from entry: Int, in batch: borrowing Batch
    ) -> Int? {
        let end = steps.end(from: entry, for: span, present, in: batch)
        return end == Self.none ? nil : Self.none - 1 - end
    }
}

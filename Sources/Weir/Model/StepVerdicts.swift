/// What was decided of the steps that lead to a ``MemberPlace``. Each step is decided about once, however many values
/// stand below it: a path may be long, and a pattern reads all of it.
struct StepVerdicts {
    private var known: [(number: Int, isWanted: Bool)] = []

    /// Of another value nothing is known.
    mutating func removeAll() { known.removeAll(keepingCapacity: true) }

    /// - Parameter decide: gets the place, the index of one of its steps, and what was decided of the one before it.
    /// - Returns: what holds for the last step.
    mutating func last(
        of place: borrowing MemberPlace,
        _ decide: (_ place: borrowing MemberPlace, _ step: Int, _ isOuterWanted: Bool) -> Bool
    ) -> Bool {
        // A step that is known was reached by steps that are.
        var count = min(known.count, place.steps.count)
        while count > 0, known[count - 1].number != place.steps[count - 1].number { count -= 1 }
        known.removeLast(known.count - count)
        while known.count < place.steps.count {
            let isWanted = decide(place, known.count, known.last?.isWanted ?? false)
            known.append((place.steps[known.count].number, isWanted))
        }
        return known.last?.isWanted ?? false
    }
}

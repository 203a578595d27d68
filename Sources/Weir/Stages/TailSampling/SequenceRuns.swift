import DequeModule

/// Sequences of records that were read, in their order: a run for each gap between them, and there are few.
struct SequenceRuns {
    private var runs: Deque<ClosedRange<UInt64>> = []

    /// - Parameter sequence: behind those that are there.
    mutating func add(_ sequence: UInt64) {
        guard let last = runs.last, last.upperBound + 1 == sequence else { return runs.append(sequence...sequence) }
        runs[runs.count - 1] = last.lowerBound...sequence
    }

    func contains(_ sequence: UInt64) -> Bool {
        let place = runs.binarySearch { $0.upperBound < sequence }
        return place < runs.count && runs[place].contains(sequence)
    }
}

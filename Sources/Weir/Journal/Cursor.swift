/// How far one exporter is: everything below `next` is done, some above it may be, since batches are under way side by
/// side and need not end in their order.
struct Cursor: Equatable, Sendable {
    /// The first sequence that is not done.
    private(set) var next: UInt64
    /// What is done above `next`: sorted, apart from each other.
    private(set) var done: [ClosedRange<UInt64>] = []

    init(next: UInt64, done: [ClosedRange<UInt64>] = []) {
        self.next = next
        self.done = done
    }

    func isDone(_ sequence: UInt64) -> Bool {
        sequence < next || done.contains { $0.contains(sequence) }
    }

    /// Marks these as done, as far as they are not.
    mutating func finish(_ sequences: ClosedRange<UInt64>) {
        guard sequences.upperBound >= next else { return }
        var range = max(sequences.lowerBound, next)...sequences.upperBound
        var apart: [ClosedRange<UInt64>] = []
        for other in done {
            if other.upperBound + 1 < range.lowerBound || range.upperBound + 1 < other.lowerBound {
                apart.append(other)
            } else {
                range = min(range.lowerBound, other.lowerBound)...max(range.upperBound, other.upperBound)
            }
        }
        if range.lowerBound == next {
            next = range.upperBound + 1
            done = apart
        } else {
            done = (apart + [range]).sorted { $0.lowerBound < $1.lowerBound }
        }
    }

    /// Those of `sequences` that are not done.
    func missing(in sequences: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
        var missing: [ClosedRange<UInt64>] = []
        var start = max(sequences.lowerBound, next)
        for range in done where range.upperBound >= start && range.lowerBound <= sequences.upperBound {
            if range.lowerBound > start { missing.append(start...range.lowerBound - 1) }
            start = range.upperBound + 1
        }
        if start <= sequences.upperBound { missing.append(start...sequences.upperBound) }
        return missing
    }

    /// Marks everything below `sequence` as done.
    mutating func skip(to sequence: UInt64) {
        if sequence > next { finish(next...sequence - 1) }
    }
}

/// Work that regular expressions may still do for the spans of a request. Each match has some for nothing; what goes
/// beyond is taken from here, so that a request of texts made for it cannot hold an event loop.
///
/// It is counted in steps and not in time, so that a record that is read again is decided in the same way.
struct MatchBudget {
    /// What five of the longest matches take: some 100 ms, a second where memory must not be executable.
    static let steps = 50_000_000

    private var left = Self.steps
    private var abandoned = 0

    /// - Returns: whether there are so many.
    mutating func take(_ steps: Int) -> Bool {
        guard steps <= left else { return false }
        left -= steps
        return true
    }

    mutating func noteAbandoned() { abandoned += 1 }

    /// Matches that were given up since this was last asked.
    mutating func takeAbandoned() -> Int {
        defer { abandoned = 0 }
        return abandoned
    }
}

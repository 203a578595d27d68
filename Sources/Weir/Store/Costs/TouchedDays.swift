/// In which partitions of Postgres to look: the days of some spans, with one before and one after, since a trace may go
/// over midnight.
struct TouchedDays {
    private let first: String
    private let last: String

    /// - Returns: nil where there are no days.
    init?(_ days: some Sequence<Day>) {
        guard let first = days.min(), let last = days.max() else { return nil }
        self.first = "timestamptz '\(Day(number: max(0, first.number - 1)).text) 00:00:00+00'"
        self.last = "timestamptz '\((last + 2).text) 00:00:00+00'"
    }

    func condition(on column: String) -> String { "\(column) >= \(first) AND \(column) < \(last)" }
}

/// The starts of the spans that a query is about: from `from` on, and before `to`.
struct TimeWindow: Equatable, Sendable {
    /// All that there is.
    static let always = TimeWindow(from: Timestamp(nanoseconds: 0))
    /// What a list shows when nobody says how far back.
    static let defaultLength = Duration.seconds(86_400)

    var from: Timestamp
    /// Nil is no end, so that the span of a clock that is ahead is found too.
    var to: Timestamp?

    init(from: Timestamp, to: Timestamp? = nil) {
        self.from = from
        self.to = to
    }

    /// The latest part.
    init(last length: Duration = defaultLength, before now: Timestamp) {
        let nanoseconds = UInt64(max(0, length / .nanoseconds(1)))
        self.init(from: Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, nanoseconds)))
    }

    var isEmpty: Bool { to.map { $0 <= from } ?? false }

    /// Whether spans of the window may start on the day.
    func touches(_ day: Day) -> Bool {
        (day + 1).start > from && (to.map { day.start < $0 } ?? true)
    }

    /// The window with its ends moved outwards to whole minutes, which is what the rollups know.
    var wholeMinutes: TimeWindow {
        let minute: UInt64 = 60_000_000_000
        let end = to.map { Timestamp(nanoseconds: $0.nanoseconds.advanced(by: Int(minute - 1)) / minute * minute) }
        return TimeWindow(from: Timestamp(nanoseconds: from.nanoseconds / minute * minute), to: end)
    }

    /// What a row has to fulfil; nothing where the window has no such end.
    func condition(on column: SQLText) -> SQLText {
        var text: SQLText = ""
        if from.nanoseconds > 0 { text += " AND \(column) >= \(.time(from))" }
        if let to { text += " AND \(column) < \(.time(to))" }
        return text
    }

    /// The window from its end to its beginning in parts of which each is eight times as long as the one before. So the
    /// newest rows are found without an index on the time, and all of them are read once at most.
    func newestFirst(at now: Timestamp) -> [TimeWindow] {
        var parts: [TimeWindow] = []
        var rest = self
        var length: UInt64 = 60_000_000_000
        let end = min(to ?? now, now).nanoseconds
        while end > from.nanoseconds, length < end - from.nanoseconds {
            let start = Timestamp(nanoseconds: end - length)
            parts.append(TimeWindow(from: start, to: rest.to))
            rest.to = start
            length *= 8
        }
        return parts + [rest]
    }
}

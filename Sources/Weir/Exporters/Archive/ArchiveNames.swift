/// Gives each file of one run a name that no other file has: `20260203T040506Z-9f86d081-000001.jsonl.zst`.
///
/// The parts are when the file was begun, a number drawn for this run, and a counter. Further parts may come to stand
/// behind the counter, each after a `-`.
struct ArchiveNames {
    private let run: UInt32
    private let suffix: String
    private var count = 0

    /// - Parameters:
    ///   - run: random, so that two processes may write into one directory.
    ///   - suffix: with the dot.
    init(run: UInt32, suffix: String) {
        self.run = run
        self.suffix = suffix
    }

    mutating func next(at now: Timestamp) -> String {
        count += 1
        return "\(CalendarTime(now).compact)-\(run.digits(8, radix: 16))-\(count.digits(6))\(suffix)"
    }
}

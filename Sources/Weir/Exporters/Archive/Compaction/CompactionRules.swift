/// The section `compaction` of an archive.
struct CompactionRules: Sendable {
    let isEnabled: Bool
    /// Since the end of the day.
    let after: Duration
    /// Bytes; see ``CompactionPlan/target``.
    let target: Int

    init(_ fields: inout Fields) {
        isEnabled = fields.bool(
            "enabled", default: true, "Whether the files of a day that is over are merged into a few large ones.")
        after = fields.duration(
            "after", default: .seconds(6 * 3_600), in: .zero...(.seconds(30 * 86_400)),
            "How long ago a day ended before its files are merged.")
        let size = fields.bytes(
            "target_size", default: .mebibytes(256), in: .kibibytes(64)...(.gibibytes(16)),
            "Bytes of a merged file; one of half as many is large enough, one and a half times as many are the most.")
        target = size.bytes
    }

    init(isEnabled: Bool = true, after: Duration, target: Int) {
        (self.isEnabled, self.after, self.target) = (isEnabled, after, target)
    }

    func isOver(_ day: Day, at now: Timestamp) -> Bool {
        // Of the last day that there is nobody knows the end, and spans may say that they start there.
        guard day < Day(now) else { return false }
        let end = (day + 1).start.nanoseconds
        return now.nanoseconds >= end && .nanoseconds(Int64(clamping: now.nanoseconds - end)) >= after
    }
}

import Logging

/// Lets hot tables give up a day when their archives have it, and says which days it keeps, and why.
actor ArchiveGate {
    /// Before the files of a day are read again.
    private static let patience: UInt64 = 3_600_000_000_000

    private struct Kept {
        let text: String
        let reason: String
        let at: Timestamp
    }

    private let agreement: ArchiveAgreement?
    private let isHeld: @Sendable (Day) -> Bool
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let logger: Logger
    private let gauges: [String: Gauge]
    private var kept: [Day: Kept] = [:]

    /// What was found out for somebody who asks again.
    private actor Answers {
        enum Answer {
            case awaited
            /// Whether the archives have the day, as was found at a time.
            case found(Bool, Timestamp)
        }

        private var all: [Day: Answer] = [:]

        /// - Returns: nil where it is to be found out, and this was the first to ask.
        func take(_ day: Day, at now: Timestamp) -> Answer? {
            let answer = all[day]
            switch answer {
            case .awaited: return answer
            case .found(_, let at) where now >= at && now.nanoseconds - at.nanoseconds < patience:
                all[day] = nil
                return answer
            case .found, nil:
                all[day] = .awaited
                return nil
            }
        }

        func put(_ answer: Answer, of day: Day) { all[day] = answer }
    }

    private let answers = Answers()

    /// - Parameter isHeld: whether a hold, or a restore, keeps a day.
    init(
        _ agreement: ArchiveAgreement?, _ context: Context, clock: @escaping @Sendable () -> Timestamp = Timestamp.now,
        isHeld: @escaping @Sendable (Day) -> Bool
    ) {
        self.agreement = agreement
        self.isHeld = isHeld
        self.clock = clock
        executor = BlockingExecutor(label: "weir.\(context.id).gate")
        logger = context.logger
        var gauges: [String: Gauge] = [:]
        var labels = ["exporter": "\(context.id)"]
        // There is one for each pipeline that the exporter is of, and what they keep does not add up.
        labels["pipeline"] = context.pipeline?.description
        for reason in ["held", "archive_lacks", "archive_damaged", "archive_unreadable"] {
            gauges[reason] = context.metrics.gauge(
                "weir_store_days_kept", help: "Days of the hot tables that are kept though their time is over.",
                labels: labels.merging(["reason": reason]) { $1 })
        }
        self.gauges = gauges
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// The same for one who cannot wait until files are read: nil where they are, and an answer for one who then asks
    /// again, within the hour. A hold is looked at last.
    nonisolated func mayDropNow(_ day: Day) async -> Bool? {
        let now = clock()
        guard agreement != nil else { return await mayDrop(day, at: now) }
        switch await answers.take(day, at: now) {
        case .found(let isAgreed, _): return isAgreed && !isHeld(day)
        case .awaited: return nil
        case nil:
            Task {
                let isAgreed = await mayDrop(day, at: now)
                await answers.put(.found(isAgreed, clock()), of: day)
            }
            return nil
        }
    }

    /// Whether the tables may give up a day whose time is over.
    func mayDrop(_ day: Day, at now: Timestamp) -> Bool {
        // Of a day that nobody asks about any more, there is nothing.
        kept = kept.filter { now.nanoseconds < $0.value.at.nanoseconds + 2 * Self.patience }
        defer {
            for (reason, gauge) in gauges { gauge.set(kept.values.count { $0.reason == reason }) }
        }
        if isHeld(day) {
            keep(day, "held", "a hold or a restore keeps it", at: now)
            return false
        }
        guard let agreement else { return true }
        if let known = kept[day], known.reason != "held", now >= known.at,
            now.nanoseconds - known.at.nanoseconds < Self.patience
        {
            return false
        }
        do {
            let verdict = try agreement.verdict(on: day, isVerified: true)
            guard let reason = verdict.reason else {
                kept[day] = nil
                return true
            }
            keep(day, reason, verdict.text, at: now)
        } catch {
            keep(day, "archive_unreadable", "\((error as? PostgresError)?.reason ?? "\(error)")", at: now)
        }
        return false
    }

    private func keep(_ day: Day, _ reason: String, _ text: String, at now: Timestamp) {
        if kept[day]?.text != text, reason != "held" {
            logger.warning(
                "a day is kept whose time is over, since its archive does not agree",
                metadata: ["day": "\(day.text)", "reason": "\(reason)", "detail": "\(text)"])
        }
        kept[day] = Kept(text: text, reason: reason, at: now)
    }
}

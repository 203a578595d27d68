/// Which days the hot tables give up, and of which they give up some tenants' rows. What drops them differs: partitions
/// in Postgres, files in SQLite.
struct Retention: Sendable {
    /// A retention class.
    struct Rule: Sendable {
        let tenants: Set<String>
        let duration: Duration
    }

    /// For tenants that are in no class.
    let duration: Duration
    let classes: [Rule]
    /// Asked before a day goes, or rows of it; false keeps it, to be asked again later. So a day can wait for its
    /// archive. Nil where that is being found out, and whoever asks again soon is told.
    let mayDrop: @Sendable (Day) async -> Bool?

    init(
        _ duration: Duration, classes: [Rule] = [], mayDrop: @escaping @Sendable (Day) async -> Bool? = { _ in true }
    ) {
        (self.duration, self.classes, self.mayDrop) = (duration, classes, mayDrop)
    }

    /// That of the tenants who are kept longest.
    var longest: Duration { classes.map(\.duration).reduce(duration, max) }

    func duration(of tenant: String) -> Duration {
        classes.first { $0.tenants.contains(tenant) }?.duration ?? duration
    }

    /// The first day of which somebody's rows are kept.
    func firstDay(at now: Timestamp) -> Day {
        let kept = UInt64(max(0, longest / .nanoseconds(1)))
        return Day(Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, kept)))
    }

    /// The days that ended longer ago than any tenant is kept, oldest first.
    func expired(_ days: some Sequence<Day>, at now: Timestamp) -> [Day] {
        days.filter { Self.isOver($0, longest, at: now) }.sorted()
    }

    /// The days that ended longer ago than some tenants are kept, and not all, oldest first.
    func partlyExpired(_ days: some Sequence<Day>, at now: Timestamp) -> [Day] {
        let shortest = classes.map(\.duration).reduce(duration, min)
        return days.filter { Self.isOver($0, shortest, at: now) && !Self.isOver($0, longest, at: now) }.sorted()
    }

    /// Whether the tenant's rows of the day have been kept long enough.
    func isOver(_ day: Day, for tenant: String, at now: Timestamp) -> Bool {
        Self.isOver(day, duration(of: tenant), at: now)
    }

    private static func isOver(_ day: Day, _ duration: Duration, at now: Timestamp) -> Bool {
        let kept = UInt64(max(0, duration / .nanoseconds(1)))
        return (day + 1).start.nanoseconds <= (now.nanoseconds > kept ? now.nanoseconds - kept : 0)
    }
}

extension Retention.Rule {
    /// Classes that tables may have.
    private static let maximumClasses = 100

    /// Reads the key `retention_classes`.
    static func all(_ fields: inout Fields, default duration: Duration, in range: ClosedRange<Duration>) -> [Self] {
        let rules = fields.named(
            "retention_classes", count: 0...maximumClasses, "Tenants whose rows are kept for another time, by name."
        ) { _, fields in
            let tenants = fields.strings(
                "tenants", default: [], count: 1...Fields.maximumItems, "The tenants whose rows are of the class.")
            return Self(
                tenants: Set(tenants),
                duration: fields.duration(
                    "retention", default: duration, in: range, "Their rows of a day go when it ended that long ago."))
        }
        var seen: Set<String> = []
        for rule in rules {
            for tenant in rule.tenants.sorted() where !seen.insert(tenant).inserted {
                fields.reject(
                    "retention_classes", "found tenant \(tenant.quotedForMessage) in two classes, wanted one")
            }
        }
        return rules
    }
}

extension [Retention.Rule] {
    /// Whose rows are kept for how long, whatever the classes are called.
    var text: String {
        flatMap { rule in rule.tenants.map { "\($0.debugDescription) \(rule.duration.text)" } }.sorted()
            .joined(separator: ", ")
    }
}

/// The section `lifecycle` of an archive: how long its files are kept, by tenant.
struct ArchiveLifecycle: Sendable {
    /// A retention class.
    struct Rule: Sendable {
        let name: String
        let tenants: Set<String>
        /// How long rows are kept that an archive of OTLP has as well.
        let warm: Duration
        /// How long anything is kept.
        let cold: Duration

        init(name: String, tenants: Set<String> = [], warm: Duration, cold: Duration) {
            (self.name, self.tenants, self.warm, self.cold) = (name, tenants, warm, cold)
        }
    }

    /// Classes that an archive may have.
    static let maximumClasses = 100
    static let unnamed = "default"

    /// For tenants that are in no class.
    let standard: Rule
    let classes: [Rule]

    init(standard: Rule, classes: [Rule] = []) {
        (self.standard, self.classes) = (standard, classes)
    }

    init(_ fields: inout Fields) {
        let standard = Self.rule(Self.unnamed, [], &fields, warm: .seconds(180 * 86_400), cold: .seconds(730 * 86_400))
        self.standard = standard
        classes = fields.named(
            "classes", count: 0...Self.maximumClasses, "Retention classes of their own, by name."
        ) { name, fields in
            let tenants = fields.strings(
                "tenants", default: [], count: 1...Fields.maximumItems, "The tenants whose files are of the class.")
            return Self.rule(name, Set(tenants), &fields, warm: standard.warm, cold: standard.cold)
        }
        var seen: Set<String> = []
        for rule in classes {
            if rule.name == Self.unnamed {
                fields.reject("classes", "found a class \(rule.name), which all others are of")
            }
            for tenant in rule.tenants.sorted() where !seen.insert(tenant).inserted {
                fields.reject("classes", "found tenant \(tenant.quotedForMessage) in two classes, wanted one")
            }
        }
    }

    private static func rule(
        _ name: String, _ tenants: Set<String>, _ fields: inout Fields, warm: Duration, cold: Duration
    ) -> Rule {
        let range = Duration.seconds(86_400)...Duration.seconds(36_500 * 86_400)
        let rule = Rule(
            name: name, tenants: tenants,
            warm: fields.duration(
                "warm", default: warm, in: range,
                "When Parquet goes that an archive of OTLP in the pipeline has as well; counted from publishing."),
            cold: fields.duration(
                "cold", default: cold, in: range, "When any file is removed; counted from publishing."))
        if rule.warm > rule.cold {
            fields.reject("cold", "found \(rule.cold.text), wanted at least warm, \(rule.warm.text)")
        }
        return rule
    }

    func rule(of tenant: String) -> Rule {
        classes.first { $0.tenants.contains(tenant) } ?? standard
    }

    /// - Parameter time: when the file was published.
    func dates(of tenant: String, at time: Timestamp) -> ArchiveDates {
        let rule = rule(of: tenant)
        func day(_ duration: Duration) -> Day {
            // The day on which it is over, not the one before.
            let end = time.nanoseconds.addingReportingOverflow(UInt64(max(0, duration / .nanoseconds(1))))
            return Day(Timestamp(nanoseconds: end.overflow ? .max - Day.nanoseconds : end.partialValue)) + 1
        }
        return ArchiveDates(retentionClass: rule.name, transition: day(rule.warm), expires: day(rule.cold))
    }

    /// What the manifest would say, if it said something.
    func dates(of manifest: ArchiveManifest) -> ArchiveDates? {
        Day(text: String(manifest.created.prefix(10))).map { dates(of: manifest.tenant, at: $0.start) }
    }
}

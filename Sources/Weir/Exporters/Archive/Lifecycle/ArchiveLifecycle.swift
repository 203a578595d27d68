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
        /// Where a bucket has the files by their age, in the order of that.
        var storageClasses: [StorageClass] = []

        init(
            name: String, tenants: Set<String> = [], warm: Duration, cold: Duration, storageClasses: [StorageClass] = []
        ) {
            (self.name, self.tenants, self.warm, self.cold) = (name, tenants, warm, cold)
            self.storageClasses = storageClasses
        }
    }

    /// One of a bucket's, for files that are so old.
    struct StorageClass: Sendable, Equatable {
        /// Those that objects have to be brought back from before anybody reads or copies them.
        static let frozen: Set<String> = ["GLACIER", "DEEP_ARCHIVE"]

        let name: String
        let after: Duration
    }

    /// Classes that an archive may have.
    static let maximumClasses = 100
    private static let maximumStorageClasses = 10
    static let unnamed = "default"

    /// For tenants that are in no class.
    let standard: Rule
    let classes: [Rule]

    init(standard: Rule, classes: [Rule] = []) {
        (self.standard, self.classes) = (standard, classes)
    }

    init(_ fields: inout Fields) {
        let initial = Rule(name: Self.unnamed, warm: .seconds(180 * 86_400), cold: .seconds(730 * 86_400))
        let standard = Self.rule(Self.unnamed, [], &fields, initial)
        self.standard = standard
        classes = fields.named(
            "classes", count: 0...Self.maximumClasses, "Retention classes of their own, by name."
        ) { name, fields in
            let tenants = fields.strings(
                "tenants", default: [], count: 1...Fields.maximumItems, "The tenants whose files are of the class.")
            return Self.rule(name, Set(tenants), &fields, standard)
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
        _ name: String, _ tenants: Set<String>, _ fields: inout Fields, _ other: Rule
    ) -> Rule {
        let range = Duration.seconds(86_400)...Duration.seconds(36_500 * 86_400)
        let warm = fields.duration(
            "warm", default: other.warm, in: range,
            "When Parquet goes that an archive of OTLP in the pipeline has as well; counted from publishing.")
        let cold = fields.duration(
            "cold", default: other.cold, in: range, "When any file is removed; counted from publishing.")
        let rule = Rule(
            name: name, tenants: tenants, warm: warm, cold: cold, storageClasses: storageClasses(&fields))
        if rule.warm > rule.cold {
            fields.reject("cold", "found \(rule.cold.text), wanted at least warm, \(rule.warm.text)")
        }
        return rule
    }

    private static func storageClasses(_ fields: inout Fields) -> [StorageClass] {
        let found = fields.list(
            "storage_classes", count: 0...maximumStorageClasses, "Where a bucket has the files, by their age."
        ) { fields in
            StorageClass(
                name: fields.parsed(
                    "class", standIn: "", "A storage class of the bucket, such as STANDARD_IA.",
                    { text throws(ConfigError) in try ObjectStorageConfiguration.storageClass(text) ?? "" }),
                after: fields.parsed(
                    "after", standIn: Duration.zero, type: "duration",
                    "The age from which on files are in it; counted from publishing, in whole days.",
                    { text throws(ConfigError) in
                        guard let age = Duration(parsing: text), age >= .zero, age <= .seconds(36_500 * 86_400) else {
                            throw ConfigError(found: text.quotedForMessage, wanted: "a duration such as 90d")
                        }
                        return age
                    }))
        }
        for (one, next) in zip(found, found.dropFirst()) {
            if next.after <= one.after {
                fields.reject("storage_classes", "found \(next.name) after \(next.after.text), wanted rising ages")
            }
            if StorageClass.frozen.contains(one.name) {
                fields.reject("storage_classes", "found \(next.name) after \(one.name), from which nothing is copied")
            }
        }
        if Set(found.map(\.name)).count < found.count {
            fields.reject("storage_classes", "found a class twice, wanted each once")
        }
        if let frozen = found.last(where: { StorageClass.frozen.contains($0.name) }) {
            fields.warn(
                "storage_classes",
                "what is in \(frozen.name) is not read before somebody has it restored there: not by verify and "
                    + "restore, and no erasure that has to look into it is complete")
        }
        return found
    }

    /// Whether files move in their bucket.
    var hasStorageClasses: Bool { ([standard] + classes).contains { !$0.storageClasses.isEmpty } }

    /// The storage classes that a manifest's files have had and are to have by their age, the last one last; none
    /// where the bucket's are as they were uploaded.
    func storageClasses(of manifest: ArchiveManifest, on today: Day) -> [String] {
        guard let created = Day(text: String(manifest.created.prefix(10))) else { return [] }
        return rule(of: manifest.tenant).storageClasses.prefix { storageClass in
            let days = (storageClass.after + .seconds(86_399)) / .seconds(86_400)
            return created + Int(days) <= today
        }.map(\.name)
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

/// Removes files whose time is over, by the dates in their manifests.
struct ArchiveExpiry {
    struct Outcome: Equatable, Sendable {
        /// Manifests, and spans in their files.
        var expired = 0
        var transitioned = 0
        var spans = 0
        /// Those whose time is over and that a hold keeps.
        var held = 0
        /// Days of rows that stay, since an archive of OTLP has not all of their spans.
        var lacking: [Day] = []
        /// Files that stay though their time is over, since no manifest of theirs can be read.
        var damaged: [String] = []
        /// The last day that the clock was right on, where it is too far ahead of that to be believed: nothing is
        /// removed.
        var believed: Day?
        var isBusy = false
    }

    private let catalog: ArchiveCatalog
    private let lifecycle: ArchiveLifecycle
    private let register: ErasureRegister
    /// The archives of OTLP that rows are left to.
    private let colder: [String]
    private var clock: ExpiryClock { ExpiryClock(in: catalog.root) }

    init(_ catalog: ArchiveCatalog, _ lifecycle: ArchiveLifecycle, _ register: ErasureRegister, colder: [String]) {
        (self.catalog, self.lifecycle, self.register, self.colder) = (catalog, lifecycle, register, colder)
    }

    /// May be done again, after whatever ended it.
    func run(at now: Timestamp) throws -> Outcome {
        var outcome = Outcome()
        let today = Day(now)
        var dates: [ArchiveCatalog.Date] = []
        // Only the manifests know: the rule may have been another when they were written, and a day to come is one by a
        // sender's clock. No rule is shorter than a day.
        try catalog.dates { date in
            if date.day != today { dates.append(date) }
        }
        let last = try clock.last() ?? newest(before: today)
        let isBelieved = last.map { today <= $0 + ExpiryClock.maximumPause } ?? true
        // What is published from now on has a wrong time perhaps. Somebody may have confirmed the clock meanwhile.
        if !isBelieved, let last, try clock.last() == nil { try clock.note(last) }
        for date in dates {
            try Task.checkCancellation()
            // Without the lock: in most days nothing is due.
            let found = try catalog.found(in: date)
            if isBelieved { outcome.damaged += damaged(found, in: date, on: today) }
            guard found.contains(where: { isDue($0, on: today) }) else { continue }
            guard isBelieved else {
                outcome.believed = last
                return outcome
            }
            guard let change = try ArchiveChange(catalog.root) else {
                outcome.isBusy = true
                break
            }
            try remove(date, change, &outcome, at: now)
        }
        if isBelieved, !outcome.isBusy { try clock.noteRun(on: today) }
        return outcome
    }

    /// When a file was last published, but for today, when the clock may have been wrong already.
    private func newest(before today: Day) throws -> Day? {
        var newest: Day?
        try catalog.visit { found in
            guard let created = found.published?.manifest.created, let day = Day(text: String(created.prefix(10))),
                day < today
            else { return }
            newest = max(newest ?? day, day)
        }
        return newest
    }

    private func dates(of manifest: ArchiveManifest, on today: Day) -> ArchiveDates? {
        guard let dates = manifest.dates ?? lifecycle.dates(of: manifest) else { return nil }
        // Published before its day began, which is past now: with a clock that was behind. Its time is the day's.
        guard let created = Day(text: String(manifest.created.prefix(10))), let day = manifest.place?.day,
            created < day, day <= today
        else { return dates }
        let late = day.number - created.number
        return ArchiveDates(
            retentionClass: dates.retentionClass, transition: dates.transition + late, expires: dates.expires + late)
    }

    private func isDue(_ found: ArchiveCatalog.Found, on today: Day) -> Bool {
        guard let manifest = found.published?.manifest, let dates = dates(of: manifest, on: today) else { return false }
        return dates.expires <= today || isInTransition(manifest, dates, on: today)
    }

    private func isInTransition(_ manifest: ArchiveManifest, _ dates: ArchiveDates, on today: Day) -> Bool {
        manifest.format == .parquet && !colder.isEmpty && dates.transition <= today
    }

    /// What would have gone by the rules of today.
    private func damaged(_ found: [ArchiveCatalog.Found], in date: ArchiveCatalog.Date, on today: Day) -> [String] {
        let paths = found.compactMap { found -> String? in
            switch found {
            case .broken(let path), .unlisted(let path): path
            case .manifest, .away: nil
            }
        }
        guard !paths.isEmpty, let day = date.day else { return [] }
        let directory = date.path.dropFirst(date.tree.count).prefix { $0 != "/" }
        let tenant = lifecycle.classes.flatMap(\.tenants).first {
            directory == "tenant=\(ArchivePartition.directoryName(of: $0))"
        }
        return lifecycle.dates(of: tenant ?? "", at: (day + 1).start).expires <= today ? paths : []
    }

    private func remove(
        _ date: ArchiveCatalog.Date, _ change: ArchiveChange, _ outcome: inout Outcome, at now: Timestamp
    ) throws {
        let today = Day(now)
        var isLeft: [String: Bool] = [:]
        var register = register
        for (manifest, path, bytes) in try catalog.found(in: date).compactMap(\.published) {
            guard let dates = dates(of: manifest, on: today) else { continue }
            let isExpired = dates.expires <= today
            guard isExpired || isInTransition(manifest, dates, on: today) else { continue }
            guard !register.holds(manifest, at: now) else {
                outcome.held += 1
                continue
            }
            if !isExpired {
                // All of the day's rows are asked about at once, since the two archives do not have the same files.
                let answer = try isLeft[manifest.tenant] ?? isLeftToColder(date, manifest.tenant)
                isLeft[manifest.tenant] = answer
                guard answer else { continue }
            }
            // All before this may have taken hours.
            if register.isChanged {
                try register.load()
                guard !register.holds(manifest, at: now) else {
                    outcome.held += 1
                    continue
                }
            }
            try change.remove(manifest, path, bytes, isExpired ? .expired : .transition, at: now)
            outcome.spans += manifest.spans.spans
            if isExpired { outcome.expired += 1 } else { outcome.transitioned += 1 }
        }
        if isLeft.values.contains(false), let day = date.day { outcome.lacking.append(day) }
    }

    /// Days by which OTLP may end sooner than rows of the same spans: late ones give a merged file the latest dates of
    /// its parts, and a large file is not merged.
    private static let maximumLead = 31

    /// Whether every span of the rows' day that has its own clock's time there is in an archive of OTLP, for as long
    /// as the rows were to be kept.
    private func isLeftToColder(_ date: ArchiveCatalog.Date, _ tenant: String) throws -> Bool {
        guard let day = date.day else { return false }
        let rows = try ArchivedDay(
            day, of: tenant, in: catalog.root, catalog.keys, isParquet: true, isVerified: false)
        // What was not counted was not found there either.
        guard rows.damaged.isEmpty, !rows.spans.isEmpty else { return false }
        let dates = try catalog.found(in: date).compactMap { found -> ArchiveDates? in
            guard let (manifest, _, _) = found.published, manifest.format == .parquet, manifest.tenant == tenant
            else { return nil }
            return manifest.dates ?? lifecycle.dates(of: manifest)
        }
        guard let last = dates.max(by: { $0.expires < $1.expires }) else { return false }
        // Where rows are kept for days, so is this.
        let lead = min(Self.maximumLead, (last.expires.number - last.transition.number) / 4)
        let end = Day(number: last.expires.number - max(0, lead))
        return try colder.contains { root in
            // Most that lack something do so by their manifests, and need not be read from end to end each hour.
            for isVerified in [false, true] {
                let found = try ArchivedDay(
                    day, of: tenant, in: root, catalog.keys, isParquet: false, until: end, isVerified: isVerified)
                guard found.damaged.isEmpty, rows.spans.allSatisfy({ found.spans[$0.key, default: 0] >= $0.value })
                else { return false }
            }
            return true
        }
    }
}

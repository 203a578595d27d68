/// Merges the files of days that are over of which only a bucket has some: brings those here, a group at a time, and
/// from then on it is as if they had not gone. What is merged goes up, and what it is in place of goes from the bucket,
/// as always; what ends in between leaves files here that go again.
struct BucketCompaction {
    private let catalog: ArchiveCatalog
    private let rules: CompactionRules
    private let register: ErasureRegister?
    private let lifecycle: ArchiveLifecycle
    private let upload: ArchiveUploadConfiguration

    /// Nil where the archive has no bucket.
    init?(_ catalog: ArchiveCatalog, _ configuration: ArchiveConfiguration, _ register: ErasureRegister?) {
        guard let upload = configuration.upload else { return nil }
        (self.catalog, self.register, self.upload) = (catalog, register, upload)
        (rules, lifecycle) = (configuration.compaction, configuration.lifecycle)
    }

    /// May be done again, after whatever ended it.
    /// - Parameter failed: hashes of manifests whose files are not brought again, since nothing came of it.
    nonisolated(nonsending) func run(
        at now: Timestamp, _ failed: inout Set<String>
    ) async throws -> ArchiveCompaction.Outcome {
        var outcome = ArchiveCompaction.Outcome()
        guard let outbox = ArchiveOutbox(of: catalog.root) else { return outcome }
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { date in
            if let day = date.day, rules.isOver(day, at: now), try mayHaveSome(date) { dates.append(date) }
        }
        for date in dates {
            while true {
                try Task.checkCancellation()
                guard let change = try ArchiveChange(catalog.root) else {
                    outcome.isBusy = true
                    return outcome
                }
                defer { withExtendedLifetime(change) {} }
                guard let group = try group(of: date, without: failed, at: now) else { break }
                // What is merged waits here for the bucket, too.
                guard try hasRoom(for: group, outbox) else { break }
                let tenant = group[0].manifest.tenant
                let paths = Set(group.map(\.manifest.manifestPath))
                do {
                    try await ArchiveReturn(to: catalog.root, from: upload.storage)?.run(tenant: tenant, on: date.day) {
                        paths.contains($0.manifestPath)
                    }
                    outcome.fetched += group.count
                } catch let error where Self.isFinal(error) {
                    outcome.unfetched[group[0].manifest.files.first?.path ?? date.path] = "\(error)"
                }
                // Merged, they are not there any more; not merged, they go again as they came. Of a bucket that is away
                // they are brought another time.
                failed.formUnion(group.map(\.hash))
                try ArchiveCompaction(catalog, rules, register, lifecycle).merge(date, change, &outcome, at: now)
            }
        }
        return outcome
    }

    /// By the names alone: most days are merged.
    private func mayHaveSome(_ date: ArchiveCatalog.Date) throws -> Bool {
        guard date.tree.isEmpty || date.tree == ArchiveFormat.parquet.tree else { return false }
        var (manifests, isAway) = (0, false)
        for hour in try Directory.names(in: "\(catalog.root)/\(date.path)") where hour.hasPrefix("hour=") {
            for name in try Directory.names(in: "\(catalog.root)/\(date.path)/\(hour)")
            where name.hasPrefix("_") && name.hasSuffix(".json") {
                manifests += 1
                isAway = isAway || name.hasSuffix(ArchiveManifest.uploadedSuffix)
            }
        }
        return isAway && manifests > 1
    }

    /// Those that are away of the first files that are worth to be merged; nil where there are none.
    private func group(
        of date: ArchiveCatalog.Date, without failed: Set<String>, at now: Timestamp
    ) throws -> [CompactionPlan.Entry]? {
        var register = register
        if register?.isChanged ?? false { try register?.load() }
        var entries: [CompactionPlan.Entry] = []
        var away: Set<String> = []
        for found in try catalog.found(in: date) {
            guard let (manifest, _, bytes) = found.published, manifest.place != nil,
                UInt64(manifest.journal, radix: 16) != nil, !(register?.holds(manifest, at: now) ?? false),
                catalog.keys.problem(manifest, in: catalog.root) == nil
            else { continue }
            let hash = ArchiveManifest.hash(bytes)
            if case .away = found {
                // What has moved to another storage class costs something to be read, and to be removed.
                guard !failed.contains(hash), lifecycle.storageClasses(of: manifest, on: Day(now)).isEmpty else {
                    continue
                }
                away.insert(hash)
            }
            entries.append(CompactionPlan.Entry(manifest: manifest, hash: hash, length: bytes.count, columns: ""))
        }
        for group in CompactionPlan(target: rules.target).groups(entries) {
            let group = CompactionPlan.worthwhile(group, away: away)
            guard group.count > 1 else { continue }
            let fetched = group.filter { away.contains($0.hash) }
            if !fetched.isEmpty { return fetched }
        }
        return nil
    }

    /// Whether they, and what they become, leave half of what is free on the disk, and of what may wait for the bucket.
    private func hasRoom(for group: [CompactionPlan.Entry], _ outbox: ArchiveOutbox) throws -> Bool {
        let size = group.reduce(0) { $0 + $1.size }
        let pending = try outbox.entries().reduce(0) { $0 + $1.bytes }
        return size <= (try JournalDirectory(reading: catalog.root).freeBytes()) / 4
            && size + pending <= upload.maxPending / 2
    }

    /// Whether the same would come of it the next time.
    private static func isFinal(_ error: any Error) -> Bool {
        guard let error = error as? ObjectStorageError else { return error is ArchiveReturn.Mismatch }
        return error.isMissing || error.code == "InvalidObjectState"
    }
}

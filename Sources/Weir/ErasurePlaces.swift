import Logging

/// Everywhere that a configuration has spans.
struct ErasurePlaces {
    private let configuration: CollectorConfiguration
    private let keystores: [(id: ComponentID, ring: Keyring)]
    var rings: [Keyring] { keystores.map(\.ring) }

    init(_ configuration: CollectorConfiguration) {
        self.configuration = configuration
        keystores = configuration.extensions.compactMap { definition in
            (definition.configuration as? KeystoreConfiguration).map { (definition.id, $0.makeKeyring()) }
        }
    }

    private var tables: [(id: String, place: HotTables)] {
        configuration.exporters.compactMap { definition in
            HotTables(definition).map { (definition.id.description, $0) }
        }
    }

    private struct Archive {
        let id: String
        let directory: String
        let age: Duration
        let keys: ArchiveKeys?
        var bucket: ObjectStorageConfiguration?
    }

    private func rings(first: ComponentID?) -> [Keyring] {
        keystores.filter { $0.id == first }.map(\.ring) + keystores.filter { $0.id != first }.map(\.ring)
    }

    private var archives: [Archive] {
        var found: [Archive] = []
        for definition in configuration.exporters {
            guard let archive = definition.configuration as? ExporterConfiguration<ArchiveExporter> else { continue }
            if let index = found.firstIndex(where: { $0.directory == archive.own.directory }) {
                // They share the bucket, whichever of them says so.
                found[index].bucket = found[index].bucket ?? archive.own.upload?.storage
                continue
            }
            found.append(
                Archive(
                    id: definition.id.description, directory: archive.own.directory, age: archive.own.limits.age,
                    keys: ArchiveKeys(rings(first: archive.own.encryption)), bucket: archive.own.upload?.storage))
        }
        return found
    }

    /// The exporters that bring spans to places that are not Weir's.
    var elsewhere: [String] {
        configuration.exporters.filter { definition in
            HotTables(definition) == nil && definition.id.type != ArchiveExporter.type
                && definition.id.type != DebugExporter.type
        }.map(\.id.description)
    }

    // MARK: Looking

    /// The traces that subjects have spans in.
    /// - Parameters:
    ///   - some: only those; all where it is nil.
    ///   - empty: the SHA-256 of manifests whose files have nothing of the subjects, and are not looked into; to which
    ///     those are added that turn out to be such.
    func traces(
        of matcher: SubjectMatcher, among some: Set<TraceID>? = nil, _ empty: inout Set<String>, at now: Timestamp
    ) async throws -> Set<TraceID> {
        var traces: Set<TraceID> = []
        for (_, place) in tables { traces.formUnion(try place.traces(of: matcher, at: now)) }
        for archive in try archives.filter({ try Directory.isThere($0.directory) }) {
            let erasure = try await open(archive, for: matcher) { manifest, catalog in
                manifest.mayName(matcher, catalog) && some.map { manifest.mayHave($0, catalog) } ?? true
            }
            traces.formUnion(try erasure.traces(of: matcher, among: some, &empty))
        }
        _ = try await letters(matcher, [], isTrial: true, at: now) { traces.formUnion($0.traces) }
        return some.map { traces.intersection($0) } ?? traces
    }

    /// - Parameter mayHave: whether a file of the tenant is wanted. Those that only the bucket has are brought back.
    private func open(
        _ archive: Archive, for matcher: SubjectMatcher, where mayHave: (ArchiveManifest, ArchiveCatalog) -> Bool
    ) async throws -> ArchiveErasure {
        let finder = try ErasureRegister.finder(in: configuration.service.erasure.directory)
        guard let erasure = try ArchiveErasure(archive.directory, archive.keys, finder, waits: true) else {
            throw ErasureFailure("another process changes files in \(archive.directory)")
        }
        let tenant = matcher.group.tenant
        let catalog = ArchiveCatalog(
            root: archive.directory, selection: ArchiveCatalog.Selection(tenant: tenant), keys: archive.keys)
        // Nobody is to be refused meanwhile.
        let reserve = configuration.service.journal.limits.minFreeBytes.bytes
        try await ArchiveReturn(to: archive.directory, from: archive.bucket)?.run(tenant: tenant, leaving: reserve) {
            mayHave($0, catalog)
        }
        return erasure
    }

    // MARK: Erasing

    func erase(
        _ matcher: SubjectMatcher, traces: Set<TraceID>, rewrites: Bool, at now: Timestamp,
        _ report: (Erasure.Step) async throws -> Void
    ) async throws {
        for (id, place) in tables {
            let erased = try place.erase(matcher, traces, rewrites: rewrites, at: now)
            try await report(
                Erasure.Step(
                    place: id,
                    counts: [
                        .init(name: "spans", value: erased.spans), .init(name: "calls anonymised", value: erased.calls),
                        .init(name: "rejects", value: erased.rejects), .init(name: "parts", value: erased.parts),
                    ]))
        }
        var letters = LetterErasure.Erased()
        try await self.letters(matcher, traces, isTrial: false, at: now) { letters.add($0) }
        try await report(
            Erasure.Step(
                place: "letters",
                counts: [.init(name: "spans", value: letters.spans), .init(name: "letters", value: letters.letters)]))
        for archive in try archives.filter({ try Directory.isThere($0.directory) }) {
            let erasure = try await open(archive, for: matcher) { $0.mayHave(traces, $1) }
            let erased = try erasure.erase(matcher, traces: traces, at: now)
            try await report(
                Erasure.Step(
                    place: archive.id,
                    counts: [
                        .init(name: "spans", value: erased.spans), .init(name: "files", value: erased.rewritten.count),
                    ], rewritten: erased.rewritten))
        }
    }

    /// The directories of pipelines, of those too that are not configured any more.
    /// - Throws: also where they cannot be read, since nobody knows then what is left in them.
    private func pipelines() throws(FileError) -> [String] {
        let root = configuration.service.journal.directory
        do throws(FileError) {
            return try Directory.names(in: root).sorted().map { "\(root)/\($0)" }
        } catch {
            guard error.isMissing else { throw error }
            return []
        }
    }

    private func letters(
        _ matcher: SubjectMatcher, _ traces: Set<TraceID>, isTrial: Bool, at now: Timestamp,
        _ body: (LetterErasure.Erased) -> Void
    ) async throws {
        let rings = KeystoreCodec.keystores(of: configuration).compactMap { id in
            keystores.first { $0.id == id }?.ring
        }
        // Nobody else has read them here, and a letter whose key cannot be had is an error.
        for ring in rings { ring.readEncryptionKeys() }
        let codec =
            rings.isEmpty
            ? nil
            : KeystoreCodec(
                rings, isSealing: configuration.service.journal.limits.encryption != nil,
                Logger(label: "weir") { _ in SwiftLogNoOpLogHandler() })
        let letters = LetterErasure(matcher: matcher, traces: traces, codec: codec)
        for pipeline in try pipelines() {
            for exporter in try Self.names(in: "\(pipeline)/dead_letters") {
                let directory = "\(pipeline)/dead_letters/\(exporter)"
                guard let replay = try FileLock.take("\(directory)/replay.lock") else {
                    throw ErasureFailure("the dead letters in \(directory) are being replayed")
                }
                let lock = try FileLock.take("\(directory)/lock", waits: true)
                for name in ["letters.jsonl", "replay.jsonl"] {
                    body(try await letters.run(name, in: directory, isTrial: isTrial, at: now))
                }
                withExtendedLifetime((replay, lock)) {}
            }
            let parked = try Self.names(in: "\(pipeline)/parked")
            // A running Weir knows how long these files are.
            guard !parked.isEmpty, let lock = try FileLock.take("\(pipeline)/lock") else { continue }
            for exporter in parked {
                let directory = "\(pipeline)/parked/\(exporter)"
                for name in try Self.names(in: directory) where name.hasSuffix(".jsonl") {
                    body(try await letters.run(name, in: directory, isTrial: isTrial, at: now))
                }
            }
            withExtendedLifetime(lock) {}
        }
    }

    private static func names(in directory: String) throws(FileError) -> [String] {
        try Directory.isThere(directory) ? try Directory.names(in: directory).sorted() : []
    }

    // MARK: What is left

    /// What may still have spans from before the tombstone.
    func left(of request: ErasureRequest, at now: Timestamp) throws -> [Erasure.Left] {
        let time = request.tombstoneAt ?? request.at
        let until = "their keys are destroyed with `weir keys destroy --tenant \(request.tenant) --before DAY`"
        var left = encrypted(by: request.attribute, until: until, isOfOwnKeys: true)
        left += try unread(before: time, request.tenant)
        for definition in configuration.processors {
            guard let recall = (definition.configuration as? TailSamplingConfiguration)?.recall else { continue }
            let ring = "\(recall.directory)/ring"
            guard try Directory.isThere(ring), try !Self.journal(ring, before: time).isEmpty else { continue }
            left.append(
                Erasure.Left(
                    place: "recall \(ring): segments from before",
                    until: "\((recall.maxAge * 2).text) later at most, while Weir runs"))
        }
        return left
    }

    /// Where spans of the held may be that nobody can find yet, or ever. What a recall ring has no hold keeps.
    func unsearched(before time: Timestamp, for holds: [ErasureEntry]) throws -> [Erasure.Left] {
        let attributes = Set(holds.compactMap(\.attribute)).sorted()
        return attributes.flatMap { encrypted(by: $0, until: "the hold is released", isOfOwnKeys: false) }
            + (try holds.first?.tenant.map { try unread(before: time, $0) } ?? [])
    }

    /// What cannot be looked into yet.
    private func unread(before time: Timestamp, _ tenant: String) throws -> [Erasure.Left] {
        var left: [Erasure.Left] = []
        for archive in archives {
            let unknown = try Self.unlisted(in: archive.directory, of: tenant)
            for path in unknown.prefix(Self.maxNamed) {
                left.append(
                    Erasure.Left(
                        place: "\(archive.id): \(path), of which no manifest tells what it has"
                            + (unknown.count > Self.maxNamed ? ", and \(unknown.count - Self.maxNamed) more" : ""),
                        until: "its manifest is there again, or you remove it"))
            }
            let count = try Self.collected(in: archive.directory, before: time)
            guard count > 0 else { continue }
            let until = time.nanoseconds + archive.age.inNanoseconds
            let time = CalendarTime(Timestamp(nanoseconds: until))
            left.append(
                Erasure.Left(
                    place: "\(archive.id): \(count) files are still collected", until: "\(time.date)T\(time.time)Z"))
        }
        for pipeline in try pipelines() {
            for part in ["", "/\(StageCourse.directory)"] {
                guard try Directory.isThere("\(pipeline)\(part)/\(JournalRecovery.identityName)") else { continue }
                left += try Self.journal("\(pipeline)\(part)", before: time)
            }
            for exporter in try Self.names(in: "\(pipeline)/parked") {
                guard try !Self.names(in: "\(pipeline)/parked/\(exporter)").isEmpty else { continue }
                guard try FileLock.take("\(pipeline)/lock") == nil else { continue }
                left.append(
                    Erasure.Left(
                        place: "\(pipeline)/parked/\(exporter): records",
                        until: "the destination takes them, or Weir does not run"))
            }
        }
        return left
    }

    private static let maxNamed = 5

    /// Files of a tenant, and manifests that cannot be read.
    private static func unlisted(in directory: String, of tenant: String) throws -> [String] {
        guard try Directory.isThere(directory) else { return [] }
        var paths: [String] = []
        let selection = ArchiveCatalog.Selection(tenant: tenant)
        try ArchiveCatalog(root: directory, selection: selection).visit { found in
            switch found {
            case .broken(let path), .unlisted(let path): paths.append(path)
            case .manifest, .away: break
            }
        }
        return paths
    }

    /// Spans that cannot be found, since what names the subject is ciphertext in them.
    /// - Parameter isOfOwnKeys: whether ciphertext under keys of the subject's own can be told.
    private func encrypted(by attribute: String, until: String, isOfOwnKeys: Bool) -> [Erasure.Left] {
        let encryptions = configuration.processors.compactMap { $0.configuration as? EncryptionConfiguration }
        return configuration.processors.compactMap { definition in
            let key = SubjectFamily(of: attribute).keys.first { key in
                if let encryption = definition.configuration as? EncryptionConfiguration {
                    return encryption.policy.wants(key)
                }
                // What is marked gets the key of whom it names, where that is asked for.
                let hasOwn = encryptions.allSatisfy { $0.policy.subjects.contains { $0.text == key } }
                guard let redaction = definition.configuration as? RedactionConfiguration else { return false }
                return redaction.policy.encrypts(key) && !(isOfOwnKeys && hasOwn)
            }
            guard let key else { return nil }
            return Erasure.Left(
                place: "spans whose \(key) is encrypted by \(definition.id), which are not found", until: until)
        }
    }

    /// What buckets may still have of what was written anew, merged or removed here.
    func leftInBuckets() throws -> [Erasure.Left] {
        var left: [Erasure.Left] = []
        for archive in archives {
            guard let outbox = ArchiveOutbox(of: archive.directory) else { continue }
            for bucket in try outbox.formerBuckets() {
                left.append(
                    Erasure.Left(
                        place: "\(archive.id): files in the bucket before, \(bucket)",
                        until: "you remove them, and its line in \(outbox.path)/former"))
            }
            let (rewritten, removals) = (try outbox.rewritten(), try outbox.removalCount())
            if rewritten > 0 {
                left.append(
                    Erasure.Left(
                        place: "\(archive.id): \(rewritten) files are in the bucket as they were",
                        until: "they are uploaded anew, while Weir runs"))
            }
            guard removals > 0 else { continue }
            left.append(
                Erasure.Left(
                    place: "\(archive.id): files of \(removals) manifests are still to go from the bucket",
                    until: "they are removed there, while Weir runs"))
        }
        return left
    }

    /// Files that an archive begins with spans from before, and that are not published.
    private static func collected(in archive: String, before time: Timestamp) throws -> Int {
        let limit = CalendarTime(time).compact
        var count = 0
        for journal in try names(in: "\(archive)/.open") {
            // `20260203T040506Z-000001.jsonl.zst.open`
            count += try names(in: "\(archive)/.open/\(journal)").count { $0.prefix(limit.count) <= limit }
        }
        return count
    }

    /// The segments of a journal that were begun before.
    private static func journal(_ path: String, before time: Timestamp) throws -> [Erasure.Left] {
        let disk = JournalDirectory(reading: path)
        let journal = try JournalRecovery(disk, isReadOnly: true)
        let old = journal.segments.count { $0.header.createdAt <= time && $0.load.records > 0 }
        let other = try disk.names().filter { $0.hasPrefix("quarantine-") }
        var left: [Erasure.Left] = []
        if old > 0 {
            left.append(
                Erasure.Left(
                    place: "journal \(path): \(old) segments from before",
                    until: "every exporter has delivered them, while Weir runs"))
        }
        left += other.map { Erasure.Left(place: "\(path)/\($0)", until: "you remove it") }
        return left
    }
}

import Logging

/// Brings what an archive publishes to a bucket, beside the exporter: files, and then their manifests, which are the
/// commit there as they are here. What is left to do stands in ``ArchiveOutbox``, and what is done of a large file the
/// bucket knows, so a run goes on where another one ended.
actor ArchiveUploader {
    /// Between two looks for something to do.
    private static let interval = Duration.seconds(1)
    /// What cannot be uploaded as it is may be about to change, for so long.
    private static let patience = Duration.seconds(3_600)
    /// Until it is looked at again.
    private static let postponement = Duration.seconds(5)
    /// Between two looks for files that are old enough to be removed here.
    private static let removalInterval = Duration.seconds(60)
    /// Manifests whose files are removed in one go, here or in the bucket, so that uploads do not wait for long.
    private static let maxRemovals = 100
    /// What the bucket may refuse without taking anything in between: then it refuses all, as it does with a wrong key.
    private static let maxRefusals = 10

    private let outbox: ArchiveOutbox
    private let configuration: ArchiveUploadConfiguration
    private let lifecycle: ArchiveLifecycle
    private let storage: ObjectStorage
    private let telemetry: UploadTelemetry
    private let logger: Logger
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private var task: Task<Void, Never>?
    /// Keeps others, who share the archive's directory, from the same work.
    private var lock: FileLock?
    private var lastFailure: String?
    private var lastRemoval: Timestamp?
    /// What the bucket says of removals.
    private var removalObjects: RemovalObjects
    /// Up to where files were moved to other storage classes.
    private var cursor = StorageMoves.Cursor()
    /// Whether nothing goes from the bucket, since something was set aside.
    private var isBlocked = false
    /// What cannot be uploaded as it is, and when it is looked at again.
    private var postponed: [String: Timestamp] = [:]
    /// What was postponed once, since this run began.
    private var seen: Set<String> = []
    /// What the bucket has refused for good, by its name in the outbox. It is tried after all others.
    private var refused: Set<String> = []
    /// What it refused first in this pass, and how much since it took something.
    private var refusal: (name: String, error: ObjectStorageError)?
    private var refusals = 0

    init(
        _ root: String, _ configuration: ArchiveUploadConfiguration, _ lifecycle: ArchiveLifecycle, _ context: Context,
        clock: @escaping @Sendable () -> Timestamp
    ) throws {
        let telemetry = UploadTelemetry(context)
        self.telemetry = telemetry
        (self.configuration, self.lifecycle) = (configuration, lifecycle)
        self.clock = clock
        outbox = try ArchiveOutbox.create(root)
        removalObjects = RemovalObjects(in: outbox.root)
        storage = try ObjectStorage(configuration.storage) { _ in telemetry.retries.add() }
        logger = context.logger
        executor = BlockingExecutor(label: "weir.\(context.id).upload")
        logger.info(
            "uploading",
            metadata: ["bucket": "\(storage.description)", "endpoint": "\(configuration.storage.endpoint)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Goes on until ``finish()``. May be said again.
    func start() {
        if task == nil { task = Task { await run() } }
    }

    /// What is not in the bucket by then is brought there by the next run.
    func finish() async {
        task?.cancel()
        await task?.value
        lock = nil
        await storage.shutDown()
    }

    private func run() async {
        let longest = configuration.storage.maxRetryInterval
        let interval = min(Self.interval, longest)
        var backoff = Backoff(initial: interval, longest: longest, multiplier: 2)
        while !Task.isCancelled {
            var pause = interval
            do {
                if lock == nil { lock = try FileLock.take(outbox.path) }
                if lock != nil { try await pass() }
                note(nil)
                backoff.reset()
            } catch {
                guard !Task.isCancelled else { return }
                note("\(error)")
                pause = backoff.next(named: (error as? ObjectStorageError)?.pause, chance: .random(in: 0...1))
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// A line when it begins to fail, and when it does no more.
    private func note(_ failure: String?) {
        if let failure {
            telemetry.failures.add()
            if failure != lastFailure {
                var metadata: Logger.Metadata = ["error": "\(failure)"]
                if let refusal { metadata["refused"] = "\(refusal.name)" }
                logger.error("cannot upload; goes on trying", metadata: metadata)
            }
        } else if lastFailure != nil {
            logger.info("uploads go on")
        }
        lastFailure = failure
    }

    /// Does all that can be done now.
    private func pass() async throws {
        try await addOld()
        // Before the manifests: what is in place of what goes is among those.
        let removals = try outbox.removals()
        let gone = Set(removals.flatMap(\.paths))
        var waiting = 0
        let now = clock()
        postponed = postponed.filter { $0.value > now }
        refused = refused.filter { Directory.has("\(outbox.path)/\($0)") }
        (refusal, refusals) = (nil, 0)
        // What need not go up any more is in nobody's way, whatever was wrong with it.
        for name in try outbox.asideNames() {
            guard let (manifest, bytes) = try outbox.manifest(name),
                try gone.contains(manifest.manifestPath) || state(of: manifest, bytes) == .replaced
            else { continue }
            try outbox.takeUp(name)
        }
        let entries = try outbox.entries()
        seen.formIntersection(entries.map(\.name))
        for name in refusedLast(entries.map(\.name)) {
            try Task.checkCancellation()
            guard postponed[name] == nil, try await takeUnlessGone(name, gone) else {
                waiting += 1
                continue
            }
        }
        try await removeHere()
        if waiting == 0 {
            // Where it cannot be said what was removed, nothing is.
            let isSaid: Void? = try await unlessRefused(ArchiveRemovals.directory) { try await note() }
            if isSaid != nil { try await carryOut(removals) }
        }
        var cursor = cursor
        defer { self.cursor = cursor }
        try await StorageMoves(outbox, lifecycle, storage, telemetry, logger).run(from: &cursor, at: now)
        if let refusal { throw refusal.error }
    }

    // MARK: What is refused

    private func refusedLast(_ names: [String]) -> [String] {
        names.filter { !refused.contains($0) } + names.filter(refused.contains)
    }

    /// What the bucket refuses for good, as one with a retention policy does, keeps nothing else from being done.
    /// - Parameter name: in the outbox.
    /// - Returns: nil where it was refused.
    private func unlessRefused<Value: Sendable>(
        _ name: String, _ body: () async throws -> Value
    ) async throws -> Value? {
        do {
            let result = try await body()
            refused.remove(name)
            refusals = 0
            return result
        } catch let error as ObjectStorageError where !error.isRetryable {
            refused.insert(name)
            refusal = refusal ?? (name, error)
            refusals += 1
            guard refusals < Self.maxRefusals else { throw error }
            return nil
        }
    }

    /// What an archive has from before it had a bucket, or before its files were to be removed here: of those in the
    /// bucket nobody kept an entry. Those are asked about, and do not go up again.
    private func addOld() async throws {
        let bucket = "\(configuration.storage.endpoint) \(storage.description)"
        let last = try outbox.bucket()
        let keeps = configuration.removesAfter != nil
        guard last != bucket || keeps && !outbox.keepsEntries else { return try outbox.setKeepsEntries(keeps) }
        if let last, last != bucket {
            logger.error(
                "another bucket than before; no erasure is complete until its line in .upload/former goes",
                metadata: ["before": "\(last)"])
        }
        let catalog = ArchiveCatalog(root: outbox.root, selection: ArchiveCatalog.Selection())
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { dates.append($0) }
        for date in dates {
            for case .manifest(let manifest, _, let bytes) in try catalog.found(in: date) {
                // Whoever ends this needs the actor for a moment.
                await Task.yield()
                try Task.checkCancellation()
                try outbox.add(manifest, bytes, isOld: true)
            }
        }
        if last != bucket { try outbox.begin(bucket) }
        try outbox.setKeepsEntries(keeps)
    }

    // MARK: Bringing there

    /// - Returns: whether what is to go from the bucket need not wait for it.
    private func takeUnlessGone(_ name: String, _ gone: Set<String>) async throws -> Bool {
        do {
            if let isDone = try await unlessRefused(name, { try await take(name, gone) }) { return isDone }
            // What is in place of nothing keeps nothing there.
            return try outbox.manifest(name)?.manifest.supersedes.isEmpty ?? false
        } catch let error as FileError where error.isMissing && !Directory.has("\(outbox.path)/\(name)") {
            // It was superseded meanwhile, and has another name.
            return false
        }
    }

    /// - Returns: whether nothing is left to do for it.
    private func take(_ name: String, _ gone: Set<String>) async throws -> Bool {
        guard let (manifest, bytes) = try outbox.manifest(name) else {
            return try setAside(name, because: "no manifest that can be read")
        }
        // Removed, or in place of another that was removed, before it got there.
        if gone.contains(manifest.manifestPath) {
            let upload = upload(manifest, bytes)
            for file in manifest.allFiles { try await upload.abandon(file) }
            return try drop(name)
        }
        switch try state(of: manifest, bytes) {
        case .replaced:
            _ = try drop(name)
            // What is in place of it may have come since this pass began, so nothing goes from the bucket in it.
            return false
        case .missing:
            return try wait(for: name, because: "no manifest that can be read is at \(manifest.manifestPath)")
        case .here: break
        }
        do {
            try await upload(manifest, bytes).run()
        } catch let failure as ArchiveUpload.Failure {
            guard case .damaged = failure else { return try setAside(name, because: failure.description) }
            return try wait(for: name, because: failure.description)
        }
        try outbox.finish(name, keeps: configuration.removesAfter != nil)
        logger.debug("uploaded", metadata: ["manifest": "\(manifest.manifestPath)"])
        return true
    }

    private func upload(_ manifest: ArchiveManifest, _ bytes: [UInt8]) -> ArchiveUpload {
        ArchiveUpload(
            root: outbox.root, storage: storage, telemetry: telemetry, manifest: manifest, bytes: bytes,
            storageClass: lifecycle.storageClasses(of: manifest, on: Day(clock())).last
                ?? configuration.storage.storageClass)
    }

    private enum State {
        case here
        /// By one that says so.
        case replaced
        /// It is about to get its name, was removed by somebody, or cannot be read.
        case missing
    }

    private func state(of manifest: ArchiveManifest, _ bytes: [UInt8]) throws(FileError) -> State {
        let there: [UInt8]
        do throws(FileError) {
            there = try FileReader.contents(
                of: "\(outbox.root)/\(manifest.manifestPath)", limit: ArchiveDirectory.maximumManifest)
        } catch {
            guard !error.isShortage else { throw error }
            return Directory.has("\(outbox.root)/\(manifest.uploadedPath)") ? .replaced : .missing
        }
        if there == bytes { return .here }
        let other = there.withUnsafeBytes { ArchiveManifest($0) }
        let hash = ArchiveManifest.digits(Digest.sha256(bytes))
        return other?.supersedes.contains(hash) ?? false ? .replaced : .missing
    }

    private func drop(_ name: String) throws -> Bool {
        try outbox.finish(name, keeps: false)
        return true
    }

    private func wait(for name: String, because reason: String) throws -> Bool {
        let since = try Directory.modified("\(outbox.path)/\(name)")
        // However old it is, it is looked at twice: files may have been merged, or written anew, while they went up.
        guard !seen.insert(name).inserted, clock() >= since.adding(Self.patience) else {
            postponed[name] = clock().adding(min(Self.postponement, configuration.storage.maxRetryInterval))
            return false
        }
        return try setAside(name, because: reason)
    }

    private func setAside(_ name: String, because reason: String) throws -> Bool {
        try outbox.setAside(name)
        telemetry.setAside.add()
        logger.error(
            "does not upload a file",
            metadata: ["reason": "\(reason)", "entry": "\(outbox.path)/\(name)"])
        return true
    }

    // MARK: Removing

    /// Has the bucket say what was removed on purpose, before that goes there.
    private func note() async throws {
        try removalObjects.readOn()
        for name in removalObjects.changed.sorted() {
            let bytes = try removalObjects.bytes(of: name)
            let hash = Digest.sha256(bytes)
            if try await storage.head(name)?.sha256 != ArchiveManifest.digits(hash) {
                try await storage.put(bytes, at: name, sha256: hash)
            }
            removalObjects.finish(name)
        }
    }

    private func carryOut(_ removals: [ArchiveOutbox.Removal]) async throws {
        let isBlocked = try !removals.isEmpty && outbox.lacksSuccessors()
        if isBlocked, !self.isBlocked {
            logger.error("removes nothing in the bucket, since what takes its place there is set aside")
        }
        self.isBlocked = isBlocked
        var left = removals.count
        telemetry.pendingRemovals.set(left)
        guard !isBlocked else { return }
        let all = Dictionary(uniqueKeysWithValues: removals.map { ($0.name, $0) })
        for name in refusedLast(removals.map(\.name)).prefix(Self.maxRemovals) {
            try Task.checkCancellation()
            guard let removal = all[name], try await unlessRefused(name, { try await carryOut(removal) }) != nil else {
                continue
            }
            left -= 1
            telemetry.pendingRemovals.set(left)
        }
    }

    private func carryOut(_ removal: ArchiveOutbox.Removal) async throws {
        // Manifests first, so that none is there without its file.
        let paths = removal.paths.sorted { Self.isManifest($0) && !Self.isManifest($1) }
        let kept = try await others(removal)
        if !kept.isEmpty {
            logger.error(
                "leaves what is to go, since the bucket has another manifest of that name",
                metadata: ["manifest": "\(paths.first ?? "")"])
        }
        for path in paths where !kept.contains(path) { try await storage.delete(path) }
        try outbox.finish(removal.name, keeps: false)
    }

    /// What of it is somebody else's: a manifest of that name, and what that speaks of. Where there is none, it went
    /// before a crash, or never got there.
    private func others(_ removal: ArchiveOutbox.Removal) async throws -> Set<String> {
        guard !removal.hashes.isEmpty, let place = removal.paths.first(where: Self.isManifest),
            let there = try await storage.get(place, limit: ArchiveDirectory.maximumManifest),
            !removal.hashes.contains(ArchiveManifest.hash(there.bytes))
        else { return [] }
        let theirs = there.bytes.withUnsafeBytes { ArchiveManifest($0) }
        return Set([place] + (theirs?.allFiles.map(\.path) ?? removal.paths))
    }

    private static func isManifest(_ path: String) -> Bool {
        path.hasSuffix(".manifest.json")
    }

    /// Removes the files that the bucket has and that are old enough, here; of each, the manifest stays by another
    /// name: it says which records are not to be written again.
    private func removeHere() async throws {
        guard let after = configuration.removesAfter else { return }
        let now = clock()
        if let lastRemoval, lastRemoval <= now, now < lastRemoval.adding(min(after, Self.removalInterval)) { return }
        var entries: [String] = []
        for name in try Directory.names(in: outbox.done).sorted()
        where try Directory.modified("\(outbox.done)/\(name)").adding(after) <= now {
            entries.append(name)
        }
        // Whoever changes files here may do so for hours; the bucket is not asked in vain.
        if !entries.isEmpty, try ArchiveChange(outbox.root) == nil { return }
        let due = refusedLast(entries.map { "done/\($0)" }).prefix(Self.maxRemovals)
        var known: [String] = []
        for name in due {
            guard try await unlessRefused(name, { try await look(into: name) }) != nil else { continue }
            known.append(String(name.dropFirst("done/".count)))
        }
        // Nobody looks for spans to erase in them, or merges them, meanwhile.
        guard let change = try ArchiveChange(outbox.root) else { return }
        for name in known where Directory.has("\(outbox.done)/\(name)") {
            if let (manifest, bytes) = try outbox.manifest("done/\(name)"), try removeHere(manifest, bytes) {
                try Directory.move("\(outbox.done)/\(name)", to: "\(outbox.away)/\(name)")
            } else {
                try Directory.removeFile("\(outbox.done)/\(name)")
            }
        }
        withExtendedLifetime(change) {}
        if due.count == entries.count { lastRemoval = now }
    }

    /// It was in the bucket once; that may be another one by now, or somebody may have tidied up in it. What was
    /// removed here before a crash is not here to be uploaded again.
    /// - Parameter name: in the outbox.
    private func look(into name: String) async throws {
        guard let (manifest, bytes) = try outbox.manifest(name), try state(of: manifest, bytes) == .here,
            try await !hasAll(manifest)
        else { return }
        logger.error(
            "a file is not in the bucket any more; it is uploaded again",
            metadata: ["manifest": "\(manifest.manifestPath)"])
        try Directory.move("\(outbox.path)/\(name)", to: "\(outbox.path)/\(name.dropFirst("done/".count))")
    }

    private func hasAll(_ manifest: ArchiveManifest) async throws -> Bool {
        for file in manifest.files {
            guard let there = try await storage.head(file.path), there.size == file.bytes, there.sha256 == file.sha256
            else { return false }
        }
        return try await storage.head(manifest.manifestPath) != nil
    }

    /// - Returns: whether its files are in the bucket only. Not where another one took its place, and not what has
    ///   spans of several days: how many of each is known only by reading it.
    private func removeHere(_ manifest: ArchiveManifest, _ bytes: [UInt8]) throws -> Bool {
        guard let day = manifest.place?.day, manifest.count(on: day) != nil else { return false }
        let (place, uploaded) = ("\(outbox.root)/\(manifest.manifestPath)", "\(outbox.root)/\(manifest.uploadedPath)")
        if try state(of: manifest, bytes) == .here {
            try Directory.move(place, to: uploaded)
            try Directory.sync(Directory.parent(of: place))
        } else {
            // Of what was written anew here and went before this, there is another one.
            guard !Directory.has(place), Directory.has(uploaded),
                try FileReader.contents(of: uploaded, limit: ArchiveDirectory.maximumManifest) == bytes
            else { return false }
        }
        for file in manifest.files where Directory.has("\(outbox.root)/\(file.path)") {
            try Directory.removeFile("\(outbox.root)/\(file.path)")
            telemetry.removedHere.add()
        }
        return true
    }
}

import Logging

/// What has to be done to published files from time to time.
actor ArchiveUpkeep {
    static let delay = Duration.seconds(300)
    static let interval = Duration.seconds(3_600)
    /// After one that could not do everything.
    static let retryInterval = Duration.seconds(60)

    private let configuration: ArchiveConfiguration
    /// Of the register of erasures.
    private let register: String
    private let colder: [String]
    private let catalog: ArchiveCatalog
    private var lacking: [Day] = []
    private var damaged: [String] = []
    private var isBelieved = true
    /// Manifests whose files were had from the bucket to be merged, in vain.
    private var failed: Set<String> = []
    private let executor: BlockingExecutor
    private let telemetry: ArchiveTelemetry
    private let logger: Logger

    init(
        _ configuration: ArchiveConfiguration, register: String, _ telemetry: ArchiveTelemetry, _ context: Context,
        keys: ArchiveKeys? = nil
    ) {
        catalog = ArchiveCatalog(
            root: configuration.directory, selection: ArchiveCatalog.Selection(), keys: keys)
        self.configuration = configuration
        self.register = register
        self.telemetry = telemetry
        colder = configuration.format == .parquet ? context.colderArchives : []
        logger = context.logger
        executor = BlockingExecutor(label: "weir.\(context.id).upkeep")
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Ends soon when its task is cancelled.
    /// - Returns: false where it is to be tried again soon.
    func run(at now: Timestamp) async -> Bool {
        do {
            let register = try ErasureRegister(register)
            // First what makes room: merging needs some.
            let isTidy = try expire(register, at: now)
            return try await compact(register, at: now) && isTidy
        } catch is CancellationError {
            return false
        } catch {
            telemetry.failures.add()
            logger.error("could not keep up the files", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func expire(_ register: ErasureRegister, at now: Timestamp) throws -> Bool {
        let outcome = try ArchiveExpiry(catalog, configuration.lifecycle, register, colder: colder).run(at: now)
        telemetry.removedFiles.add(outcome.expired + outcome.transitioned)
        telemetry.heldFiles.set(outcome.held)
        telemetry.lackingDays.set(outcome.lacking.count)
        telemetry.unreadableFiles.set(outcome.damaged.count)
        telemetry.distrustsClock.set(outcome.believed == nil ? 0 : 1)
        if let last = outcome.believed, isBelieved {
            logger.error(
                "removes no files, since the clock is too far ahead; weir archive confirm-clock says that it is right",
                metadata: ["today": "\(Day(now).text)", "last_known": "\(last.text)"])
        }
        isBelieved = outcome.believed == nil
        if outcome.expired + outcome.transitioned > 0 {
            logger.info(
                "removed files whose time is over",
                metadata: [
                    "expired": "\(outcome.expired)", "left_to_otlp": "\(outcome.transitioned)",
                    "spans": "\(outcome.spans)",
                ])
        }
        for day in outcome.lacking where !lacking.contains(day) {
            logger.warning(
                "rows are kept whose time is over, since no archive of OTLP has them all for as long",
                metadata: ["day": "\(day.text)"])
        }
        lacking = outcome.lacking
        if let first = outcome.damaged.first, outcome.damaged != damaged {
            logger.warning(
                "files are kept whose time is over, since their manifests are damaged or missing",
                metadata: ["files": "\(outcome.damaged.count)", "first": "\(first)"])
        }
        damaged = outcome.damaged
        return !outcome.isBusy && isBelieved
    }

    private func compact(_ register: ErasureRegister, at now: Timestamp) async throws -> Bool {
        guard configuration.compaction.isEnabled else { return true }
        var isDone = true
        do {
            try await compactBucket(register, at: now)
        } catch let error as ObjectStorageError {
            // A request that was cancelled had no answer, as any other.
            try Task.checkCancellation()
            // What is here does not wait for it.
            isDone = false
            telemetry.failures.add()
            logger.error("could not merge what only the bucket has", metadata: ["error": "\(error)"])
        }
        let outcome = try ArchiveCompaction(
            catalog, configuration.compaction, register, configuration.lifecycle
        ).run(at: now)
        telemetry.damagedFiles.set(outcome.damaged.count)
        report(outcome)
        return !outcome.isBusy && isDone
    }

    private func compactBucket(_ register: ErasureRegister, at now: Timestamp) async throws {
        guard let bucket = BucketCompaction(catalog, configuration, register) else { return }
        var failed = failed
        defer { self.failed = failed }
        let outcome = try await bucket.run(at: now, &failed)
        for (path, reason) in outcome.unfetched.sorted(by: { $0.key < $1.key }) {
            logger.error(
                "a file cannot be had from the bucket; it is not merged",
                metadata: ["path": "\(path)", "reason": "\(reason)"])
        }
        report(outcome)
    }

    private func report(_ outcome: ArchiveCompaction.Outcome) {
        telemetry.mergedFiles.add(outcome.merged)
        telemetry.erasedSpans.add(outcome.erased)
        if outcome.made > 0 {
            logger.info(
                "merged files",
                metadata: [
                    "files": "\(outcome.merged)", "into": "\(outcome.made)", "spans": "\(outcome.spans)",
                    "erased": "\(outcome.erased)",
                ])
        }
        for path in outcome.damaged {
            logger.error("a file is not what its manifest says; it is not merged", metadata: ["path": "\(path)"])
        }
        for (path, reason) in outcome.unreadable.sorted(by: { $0.key < $1.key }) where reason != .destroyed {
            logger.error(
                "a file cannot be unsealed; it is not merged",
                metadata: ["path": "\(path)", "reason": "\(reason.rawValue)"])
        }
    }
}

import Logging

/// Writes spans to files, partitioned by tenant and by the hour of their start. `docs/archive.md` says what a reader
/// may rely on.
///
/// Each batch is compressed on its own, as a zstd frame or gzip member of each file that it goes to. So a file can be
/// cut back to the end of any batch, everything that `export` returned for is in the file and not in a compressor's
/// memory, and one compressor serves all files. Rows of Parquet wait in memory instead, and come again after a crash.
actor ArchiveExporter: Exporter {
    static let type = "archive"
    static let help = "Writes spans to files, partitioned by tenant and hour."
    /// A local disk answers at last, and which files hold a record is known by the record's sequence.
    static let deliveryDefaults = DeliveryDefaults(timeout: .zero, maxConsumers: 1, splitsRecords: false)

    private let configuration: ArchiveConfiguration
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let keys: ArchiveKeys?
    /// Of erasures and holds.
    private let register: String?
    /// Nil where nobody can be erased.
    private let finder: SubjectFinder?
    private let telemetry: ArchiveTelemetry
    private let housekeeping: Housekeeping?
    private let logger: Logger
    /// Nil where the archive has no bucket.
    private let uploader: ArchiveUploader?
    private var backlog: UploadBacklog?
    /// Nil until the first batch says which journal it is of.
    private var files: ArchiveFiles?
    private var run = SequenceRun()
    private var encoder: PartitionEncoder
    private var compressor: Compressor
    /// Records are decoded into it, one after the other. Without a limit: what was accepted, under whatever limit the
    /// receiver had, must not be given up here.
    private var batch = Batch(decodedLimit: .max)

    init(_ configuration: ArchiveConfiguration, _ context: Context) throws {
        try self.init(configuration, context, clock: Timestamp.now)
    }

    /// - Parameter clock: the time of day.
    init(_ configuration: ArchiveConfiguration, _ context: Context, clock: @escaping @Sendable () -> Timestamp) throws {
        self.configuration = configuration
        self.clock = clock
        executor = BlockingExecutor(label: "weir.\(context.id)")
        telemetry = ArchiveTelemetry(context)
        logger = context.logger
        let keys = try ArchiveKeys.make(configuration.encryption, context.extensions)
        self.keys = keys
        register = context.erasures
        housekeeping = context.erasures.map { [telemetry] register in
            let upkeep = ArchiveUpkeep(configuration, register: register, telemetry, context, keys: keys)
            return Housekeeping(
                after: ArchiveUpkeep.delay, every: ArchiveUpkeep.interval, retryInterval: ArchiveUpkeep.retryInterval
            ) {
                await upkeep.run(at: $0)
            }
        }
        finder = try context.erasures.map { try ErasureRegister.finder(in: $0) }
        encoder = PartitionEncoder(configuration.format, finder)
        compressor = try Self.compressor(of: configuration)
        try ArchiveDirectory.create(configuration.directory)
        uploader = try configuration.upload.map { upload in
            try ArchiveUploader(configuration.directory, upload, configuration.lifecycle, context, clock: clock)
        }
        backlog = configuration.upload.flatMap { UploadBacklog(of: configuration.directory, $0, context) }
        logger.info(
            "writing",
            metadata: ["directory": "\(configuration.directory)", "format": "\(configuration.format.rawValue)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Returns when the operating system has the batch. After an error nothing of it stands in a file that will be
    /// published.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        let now = clock()
        let files = try files(of: batch.journal)
        // While a batch is retried there is no tick, and what is due may be what the batch waits for.
        files.tick(at: now)
        if let full = backlog?.complaint(at: now) { throw .retryable(full, after: nil) }
        let waiting = files.unpublishedCount
        guard waiting < configuration.limits.files else {
            throw .retryable("\(waiting) files cannot be published", after: nil)
        }
        let before = run
        defer { encoder.reset() }
        do {
            try encode(batch, for: files)
            let count = try write(to: files, at: now)
            files.commit()
            telemetry.writtenSpans.add(batch.spanCount)
            telemetry.writtenBytes.add(count)
            telemetry.suspectSpans.add(encoder.suspectSpans)
            telemetry.archivedSpans.add(encoder.archivedSpans)
        } catch {
            run = before
            files.rollBack(at: now)
            throw error
        }
    }

    func settled(through sequence: UInt64) async -> UInt64 {
        files?.settled(through: sequence) ?? sequence
    }

    func settle() async {
        files?.settle(at: clock())
    }

    func tick(at now: Timestamp) async {
        housekeeping?.tick(at: now)
        files?.tick(at: now)
        backlog?.look(at: now)
        await uploader?.start()
    }

    func finish() async {
        files?.finish(at: clock())
        await housekeeping?.finish()
        await uploader?.finish()
    }

    /// Begins with the first batch, and with what an earlier run left.
    private func files(of journal: JournalID) throws(ExportError) -> ArchiveFiles {
        if let files { return files }
        do {
            let root = configuration.directory
            guard var directory = try ArchiveDirectory(root, for: journal, tree: configuration.format.tree) else {
                let reason = "another exporter of the same pipeline writes to \(root)"
                throw ExportError.retryable("\(reason); give each a directory of its own", after: nil)
            }
            if directory.chain.isDamaged {
                logger.error("the chain of manifests begins anew: its file in .chain says nothing that can be read")
            }
            report(removed: try directory.clearLeftovers(), kept: try directory.foreignFiles())
            let files = ArchiveFiles(
                in: directory, configuration, telemetry, logger, keys: keys, register: register, finder: finder,
                clock: clock)
            self.files = files
            return files
        } catch {
            throw error as? ExportError ?? .retryable("\(error)", after: nil)
        }
    }

    private func report(removed: Int, kept: Int) {
        if removed > 0 {
            logger.info(
                "removed files that an earlier run did not publish; their records come again",
                metadata: ["files": "\(removed)"])
        }
        if kept > 0 {
            logger.warning(
                "found unpublished files of other journals; who writes them is still running, or left them for good",
                metadata: ["files": "\(kept)", "directory": "\(configuration.directory)/.open"])
        }
    }

    private func encode(_ batch: FrozenBatch, for files: ArchiveFiles) throws(ExportError) {
        do {
            try batch.forEach(into: &self.batch) { decoded, record in
                run.append(record.sequence)
                try encoder.add(&decoded, record.sequence, record.section) { partition in
                    let gap = try files.published.gap(
                        at: record.sequence, in: partition, recovered: batch.recoveredThrough)
                    return gap.map { max($0, run.start) }
                }
            }
        } catch let error as FileError {
            throw .retryable("\(error)", after: nil)
        } catch {
            throw .rejected("a record cannot be archived: \(error)")
        }
    }

    /// - Returns: how many bytes that made. Rows make none yet.
    private func write(to files: ArchiveFiles, at now: Timestamp) throws(ExportError) -> Int {
        var count = 0
        do {
            for messages in encoder.messages {
                if let batch = messages.batch {
                    try files.append(batch, of: messages, at: now)
                    continue
                }
                let bytes = try compress(messages.bytes)
                try bytes.withUnsafeBytes { try files.append($0, of: messages, at: now) }
                count += bytes.count
            }
        } catch {
            throw .retryable("\(error)", after: nil)
        }
        return count
    }

    private func compress(_ message: [UInt8]) throws -> [UInt8] {
        guard configuration.compression != .none else { return message }
        var compressed: [UInt8] = []
        do {
            try message.withUnsafeBytes { bytes in
                try compressor.writeWhole(bytes) { compressed.append(contentsOf: $0) }
            }
        } catch {
            // What it holds of this message must not get in front of the next.
            compressor = try Self.compressor(of: configuration)
            throw error
        }
        return compressed
    }

    private static func compressor(of configuration: ArchiveConfiguration) throws(CompressorError) -> Compressor {
        try Compressor(configuration.compression)
    }
}

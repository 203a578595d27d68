import Logging

/// Writes spans to files, partitioned by tenant and by the hour of their start. `docs/archive.md` says what a reader
/// may rely on.
///
/// Each batch is compressed on its own, as a zstd frame or gzip member of each file that it goes to. So a file can be
/// cut back to the end of any batch, everything that `export` returned for is in the file and not in a compressor's
/// memory, and one compressor serves all files.
actor ArchiveExporter: Exporter {
    static let type = "archive"
    static let help = "Writes spans to files, partitioned by tenant and hour."
    /// A local disk answers at last, and which files hold a record is known by the record's sequence.
    static let deliveryDefaults = DeliveryDefaults(timeout: .zero, maxConsumers: 1, splitsRecords: false)

    private let configuration: ArchiveConfiguration
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let bytesWritten: Counter
    private let scatteredSpans: Counter
    private var files: ArchiveFiles
    private var encoder: PartitionEncoder
    private var compressor: Compressor
    /// Records are decoded into it, one after the other. Without a limit: what was accepted, under whatever limit the
    /// receiver had, must not be given up here.
    private var batch = Batch(decodedLimit: .max)

    init(_ configuration: ArchiveConfiguration, _ context: Context) throws {
        try self.init(configuration, context, run: .random(in: 0 ... .max), clock: Timestamp.now)
    }

    /// - Parameters:
    ///   - run: tells the names of this process's files from another's.
    ///   - clock: the time of day.
    init(
        _ configuration: ArchiveConfiguration, _ context: Context, run: UInt32,
        clock: @escaping @Sendable () -> Timestamp
    ) throws {
        self.configuration = configuration
        self.clock = clock
        executor = BlockingExecutor(label: "weir.\(context.id)")
        encoder = PartitionEncoder(configuration.format, maxHours: configuration.limits.files)
        compressor = try Compressor(configuration.compression)
        let labels = ["exporter": "\(context.id)"]
        bytesWritten = context.metrics.counter(
            "weir_archive_bytes_written", help: "Bytes written to files of the archive, compressed.", labels: labels)
        scatteredSpans = context.metrics.counter(
            "weir_archive_spans_without_hour",
            help: "Spans written without date and hour because their batch was scattered over too many.", labels: labels
        )
        let directory = try ArchiveDirectory(configuration.directory)
        let suffix = configuration.format.suffix + configuration.compression.suffix
        files = ArchiveFiles(
            in: directory, rotation: ArchiveRotation(configuration.limits),
            names: ArchiveNames(run: run, suffix: suffix), logger: context.logger,
            publishedFiles: context.metrics.counter(
                "weir_archive_files_published", help: "Files of the archive that readers can see.", labels: labels),
            abandonedFiles: context.metrics.counter(
                "weir_archive_files_abandoned",
                help: "Files that could not be completed. What is in them stays in .open, unseen by readers.",
                labels: labels))
        context.logger.info(
            "writing", metadata: ["directory": "\(directory.root)", "format": "\(configuration.format.rawValue)"])
        let leftovers = try directory.leftovers()
        guard leftovers > 0 else { return }
        context.logger.warning(
            "found files that were never published; recovery comes with the journal",
            metadata: ["files": "\(leftovers)", "directory": "\(directory.open)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Returns when the operating system has the batch. After an error nothing of it stands in a file that will be
    /// published.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        let now = clock()
        // While a batch is retried there is no tick, and what is due may be what the batch waits for.
        files.tick(at: now)
        let waiting = files.unpublishedCount
        guard waiting < configuration.limits.files else {
            throw .retryable("\(waiting) files cannot be published", after: nil)
        }
        defer { encoder.reset() }
        do {
            try batch.forEach(into: &self.batch) { batch, _ in try encoder.add(&batch) }
        } catch {
            throw .rejected("a record cannot be archived: \(error)")
        }
        do {
            let count = try write(encoder.messages, at: now)
            files.commit(at: now)
            bytesWritten.add(count)
            scatteredSpans.add(encoder.scatteredSpans)
        } catch {
            files.rollBack(at: now)
            throw .retryable("\(error)", after: nil)
        }
    }

    func tick(at now: Timestamp) async {
        files.tick(at: now)
    }

    func finish() async {
        files.finish(at: clock())
    }

    /// - Returns: how many bytes that made.
    private func write(_ messages: [ArchivePartition: [UInt8]], at now: Timestamp) throws -> Int {
        var count = 0
        for (partition, message) in messages {
            let bytes = try compress(message)
            try bytes.withUnsafeBytes { bytes in try files.append(bytes, to: partition, at: now) }
            count += bytes.count
        }
        return count
    }

    private func compress(_ message: [UInt8]) throws -> [UInt8] {
        guard configuration.compression != .none else { return message }
        var compressed: [UInt8] = []
        do {
            try message.withUnsafeBytes { bytes in
                try compressor.write(bytes) { compressed.append(contentsOf: $0) }
                try compressor.finish { compressed.append(contentsOf: $0) }
            }
        } catch {
            // What it holds of this message must not get in front of the next.
            compressor = try Compressor(configuration.compression)
            throw error
        }
        return compressed
    }
}

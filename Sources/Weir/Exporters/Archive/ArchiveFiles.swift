import Logging

/// The files that are being written: carries out what ``ArchiveRotation`` decides.
///
/// What is appended between one `commit` or `rollBack` and the next is one step, taken in all files or in none. No file
/// that the step wrote to is published before its end.
final class ArchiveFiles {
    /// What the step in progress did to a file.
    private struct Mark {
        let file: ArchiveFile
        /// What it held before.
        let content: ArchiveFile.Content
        let added: Int
    }

    /// What an earlier run has published.
    var published: PublishedRecords
    private var directory: ArchiveDirectory
    private let format: ArchiveFormat
    private let compression: Compression
    private let lifecycle: ArchiveLifecycle
    private let keys: ArchiveKeys?
    private var holds: ArchiveHolds
    private let isSealing: Bool
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    private let telemetry: ArchiveTelemetry
    private var rotation: ArchiveRotation
    private var open: [ArchivePartition: ArchiveFile] = [:]
    /// Closed for appends, but not safe yet: in most cases because the step is not over.
    private var complete: [ArchiveFile] = []
    /// The first record of a file that was given up.
    private var abandoned: UInt64?
    private var step: [Mark] = []
    /// Files begun in this run, for their names.
    private var count = 0

    init(
        in directory: ArchiveDirectory, _ configuration: ArchiveConfiguration, _ telemetry: ArchiveTelemetry,
        _ logger: Logger, keys: ArchiveKeys? = nil, register: String? = nil, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.directory = directory
        published = PublishedRecords(in: directory)
        format = configuration.format
        compression = configuration.compression
        lifecycle = configuration.lifecycle
        self.keys = keys
        holds = ArchiveHolds(in: register)
        isSealing = configuration.encryption != nil
        self.clock = clock
        self.telemetry = telemetry
        self.logger = logger
        rotation = ArchiveRotation(configuration.limits)
    }

    /// Files that wait to be published.
    var unpublishedCount: Int { complete.count }

    /// The last sequence, at most `sequence`, up to which no record is in a file that a crash could take.
    func settled(through sequence: UInt64) -> UInt64 {
        let unsafe = (open.values + complete).compactMap { $0.content.spans?.sequences.lowerBound }
        guard let first = (unsafe + [abandoned].compactMap { $0 }).min() else { return sequence }
        return min(sequence, first - 1)
    }

    /// Returns when the operating system has the bytes. After an error the step must be rolled back.
    /// - Parameter bytes: `messages`, compressed.
    func append(
        _ bytes: UnsafeRawBufferPointer, of messages: ArchiveMessages, at now: Timestamp
    ) throws(FileError) {
        let partition = messages.partition
        if let spans = open[partition]?.content.spans,
            !spans.canGoOn(with: messages.spans.sequences.lowerBound, since: messages.since)
        {
            _ = carryOut([rotation.close(partition)], at: now)
        }
        let added = bytes.count + (compression == .zstd && format != .parquet ? SeekTable.entryLength : 0)
        if let error = carryOut(rotation.write(partition: partition, bytes: added, at: now), at: now) { throw error }
        guard let file = open[partition] else { preconditionFailure("no file was opened for \(partition.path)") }
        step.append(Mark(file: file, content: file.content, added: added))
        try file.append(bytes, of: messages.bytes.count, messages.spans, messages.keys)
        file.note(messages.traces)
    }

    /// Ends the step: its bytes stay.
    func commit() {
        for mark in step { mark.file.keep() }
        step = []
        publish()
    }

    /// Ends the step: every file that it wrote to holds what it held before.
    func rollBack(at now: Timestamp) {
        for mark in step.reversed() {
            mark.file.takeBack(to: mark.content)
            guard open[mark.file.partition] === mark.file else { continue }
            rotation.undo(partition: mark.file.partition, bytes: mark.added)
            do throws(FileError) {
                try mark.file.truncate()
            } catch {
                // Nothing may come behind what could not be cut off.
                _ = carryOut([rotation.close(mark.file.partition)], at: now)
            }
        }
        step = []
        publish()
    }

    /// Publishes what is old enough.
    func tick(at now: Timestamp) {
        _ = carryOut(rotation.tick(at: now), at: now)
        publish()
    }

    /// Publishes everything.
    func settle(at now: Timestamp) {
        _ = carryOut(rotation.finish(), at: now)
        publish()
    }

    /// Publishes everything, for the last time.
    func finish(at now: Timestamp) {
        settle(at: now)
        directory.close()
    }
}

extension ArchiveFiles {
    /// Does all that can be done.
    /// - Returns: why a file could not be opened.
    private func carryOut(_ actions: [ArchiveRotation.Action], at now: Timestamp) -> FileError? {
        var failure: FileError?
        for action in actions {
            switch action {
            case .open(let partition):
                do throws(FileError) {
                    let key = try key(for: partition.tenant)
                    let (stem, file) = try begin(at: now, key)
                    open[partition] = ArchiveFile(partition, begun: now, stem: stem, in: file, key)
                } catch {
                    rotation.lose(partition: partition)
                    failure = error
                }
            case .close(let partition), .evict(let partition): close(partition)
            }
        }
        return failure
    }

    private func begin(at now: Timestamp, _ key: DataKey?) throws(FileError) -> (stem: String, file: AppendFile) {
        count += 1
        let stem = "\(CalendarTime(now).compact)-\(count.digits(6))"
        let suffix = format == .parquet ? ".spool" : format.suffix(compression)
        return (stem, try directory.begin(stem + suffix, key))
    }

    /// What a new file is sealed with; nil where it is not.
    private func key(for tenant: String) throws(FileError) -> DataKey? {
        guard isSealing, let keys else { return nil }
        return try keys.key(for: tenant, directory.open)
    }

    /// Seals the file at once, so that not more are open than may be. Where that fails, publishing tries again.
    private func close(_ partition: ArchivePartition) {
        guard let file = open.removeValue(forKey: partition) else { return }
        complete.append(file)
        do throws(FileError) {
            try seal(file)
        } catch {
            logger.error("cannot complete a file yet", metadata: ["error": "\(error)"])
        }
    }

    private func seal(_ file: ArchiveFile) throws(FileError) {
        guard let spans = file.content.spans else { return }
        guard format == .parquet else {
            return try file.seal(with: ArchiveFooter.bytes(spans, of: directory.journal, compression, file.table))
        }
        let text = ArchiveFooter.text(spans, of: directory.journal)
        let conversion = ParquetConversion(
            compression: compression, notes: [("weir", text), ("weir.tenant", file.partition.tenant)],
            key: file.key)
        let directory = directory
        let key = try key(for: file.partition.tenant)
        try file.seal { content throws(FileError) in
            try conversion.run(content) { dataset throws(FileError) in
                try directory.begin(file.stem + ArchiveDirectory.suffix(of: dataset), key)
            }
        }
    }

    private func publish() {
        let files = complete
        complete = []
        for file in files {
            do throws(FileError) {
                try publish(file)
            } catch {
                if isLost(file, error) {
                    abandon(file, because: error)
                } else {
                    complete.append(file)
                    logger.error("cannot publish a file yet", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Does what is left to do until the file is safe. After an error it goes on from there.
    private func publish(_ file: ArchiveFile) throws(FileError) {
        guard let spans = file.content.spans else {
            // All that was written to it was taken back.
            try? Directory.removeFile(file.path)
            return
        }
        // Of what was collected for Parquet, whatever is doubtful is made again.
        if file.stage == .suspect, format != .parquet { try move(file) }
        if file.stage == .written || file.stage == .suspect { try seal(file) }
        if file.stage == .sealed {
            let name = ArchiveName(begun: file.begun, journal: directory.journal, sequences: spans.sequences)
            let now = clock()
            let rules = ArchiveDirectory.Rules(
                dates: lifecycle.dates(of: file.partition.tenant, at: now),
                holds: try holds.current(for: file.partition, at: now))
            try directory.publish(file, as: name.text, format, compression, rules, at: now)
            telemetry.publishedFiles.add()
            logger.debug("published a file", metadata: ["path": "\(file.path)", "spans": "\(spans.spans)"])
        }
        try directory.complete(file)
    }

    private func move(_ file: ArchiveFile) throws(FileError) {
        let (stem, other) = try begin(at: file.begun, file.key)
        do {
            try file.move(to: other, stem: stem)
        } catch {
            try? Directory.removeFile(other.path)
            throw error
        }
    }

    /// Whether what the file held cannot be had from it any more.
    private func isLost(_ file: ArchiveFile, _ error: FileError) -> Bool {
        file.stage == .suspect && error.path == file.path || !Directory.has(file.path)
    }

    private func abandon(_ file: ArchiveFile, because error: FileError) {
        guard let first = file.content.spans?.sequences.lowerBound else { return }
        abandoned = min(abandoned ?? first, first)
        telemetry.abandonedFiles.add()
        logger.error(
            "lost a file; the journal keeps its records, and the next start writes them again",
            metadata: ["path": "\(file.path)", "first": "\(first)", "error": "\(error)"])
    }
}

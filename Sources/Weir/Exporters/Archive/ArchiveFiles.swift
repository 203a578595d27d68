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
    private let finder: SubjectFinder?
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
    /// Through which the rows of all files go.
    private var pages: ParquetPages
    /// Of a large file that was sealed: their memory serves the next one.
    private var spareTables: [ParquetTable] = []

    /// Bytes of memory that rows of all files may wait in.
    private static let maximumWaiting = 128 << 20
    /// Files of which each keeps the memory that its row groups took, and what each of more keeps: others need it too.
    private static let maximumKeeping = 2
    private static let retained = 64 << 10
    /// Bytes of text after which a file's memory is worth keeping.
    private static let large = 16 << 20

    init(
        in directory: ArchiveDirectory, _ configuration: ArchiveConfiguration, _ telemetry: ArchiveTelemetry,
        _ logger: Logger, keys: ArchiveKeys? = nil, register: String? = nil, finder: SubjectFinder? = nil,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.directory = directory
        published = PublishedRecords(in: directory)
        format = configuration.format
        compression = configuration.compression
        pages = ParquetPages(configuration.compression)
        lifecycle = configuration.lifecycle
        self.keys = keys
        holds = ArchiveHolds(in: register)
        self.finder = finder
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
        let added = bytes.count + (compression == .zstd ? SeekTable.entryLength : 0)
        let file = try file(for: messages, adding: added, at: now)
        try file.append(bytes, of: messages.bytes.count, messages.spans, messages.keys)
    }

    /// The same of rows, which wait in memory. What a crash takes is still in the journal.
    func append(_ batch: ParquetBatch, of messages: ArchiveMessages, at now: Timestamp) throws(FileError) {
        try makeRoom()
        let file = try file(for: messages, adding: batch.rows.textCount, at: now)
        file.append(batch, messages.spans, messages.keys)
    }

    /// The file that the messages go on in, with a mark of what it held before.
    private func file(
        for messages: ArchiveMessages, adding added: Int, at now: Timestamp
    ) throws(FileError) -> ArchiveFile {
        let partition = messages.partition
        if let spans = open[partition]?.content.spans,
            !spans.canGoOn(with: messages.spans.sequences.lowerBound, since: messages.since)
        {
            _ = carryOut([rotation.close(partition)], at: now)
        }
        if let error = carryOut(rotation.write(partition: partition, bytes: added, at: now), at: now) { throw error }
        guard let file = open[partition] else { preconditionFailure("no file was opened for \(partition.path)") }
        step.append(Mark(file: file, content: file.content, added: added))
        file.note(messages.entries)
        return file
    }

    /// Row groups that are full are written before more rows come, so that a step that fails has written nothing.
    private func makeRoom() throws(FileError) {
        for file in open.values where file.isFull { try writeRows(of: file) }
        let all = open.values + complete
        while all.reduce(0, { $0 + $1.waitingSize }) > Self.maximumWaiting,
            let largest = all.max(by: { $0.waitingSize < $1.waitingSize })
        {
            try writeRows(of: largest)
        }
    }

    private func writeRows(of file: ArchiveFile) throws(FileError) {
        let waiting = file.waitingText
        let kept = open.count + complete.count > Self.maximumKeeping ? Self.retained : .max
        let written = try file.writeRows(
            &pages, keeping: kept, key: { () throws(FileError) in try key(for: file.partition.tenant) },
            begin: { dataset throws(FileError) in try begin(dataset, file.stem, file.key) })
        if open[file.partition] === file { rotation.undo(partition: file.partition, bytes: waiting - written) }
        telemetry.writtenBytes.add(written)
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
        // Between two large files there is less than a second.
        if open.isEmpty { spareTables = [] }
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
                    open[partition] = try begin(partition, at: now)
                } catch {
                    rotation.lose(partition: partition)
                    failure = error
                }
            case .close(let partition), .evict(let partition): close(partition)
            }
        }
        return failure
    }

    private func begin(_ partition: ArchivePartition, at now: Timestamp) throws(FileError) -> ArchiveFile {
        let stem = nextStem(at: now)
        // Without one nothing is begun, nor are rows collected that cannot be written.
        let key = try key(for: partition.tenant)
        guard format != .parquet else {
            defer { spareTables = [] }
            let spare = spareTables.isEmpty ? nil : spareTables
            let tables = spare ?? ArchiveDataset.allCases.map { ParquetTable($0, compression) }
            return ArchiveFile(partition, begun: now, stem: stem, for: tables, key)
        }
        return ArchiveFile(partition, begun: now, stem: stem, in: try begin(nil, stem, key), key)
    }

    private func nextStem(at now: Timestamp) -> String {
        count += 1
        return "\(CalendarTime(now).compact)-\(count.digits(6))"
    }

    /// - Parameter dataset: nil where there is one kind of file only.
    private func begin(
        _ dataset: ArchiveDataset?, _ stem: String, _ key: DataKey?
    ) throws(FileError) -> AppendFile {
        try directory.begin(stem + (dataset.map(ArchiveDirectory.suffix) ?? format.suffix(compression)), key)
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
        // Its rows are not all there before the step is over.
        guard !file.isInStep else { return }
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
        try writeRows(of: file)
        let text = ArchiveFooter.text(spans, of: directory.journal)
        try file.seal(notes: [("weir", text), ("weir.tenant", file.partition.tenant)])
        let tables = file.releaseTables()
        if spareTables.isEmpty, file.collectedText >= Self.large { spareTables = tables }
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
            for path in file.paths { try? Directory.removeFile(path) }
            return
        }
        if file.stage == .suspect { try move(file) }
        if file.stage == .written { try seal(file) }
        if file.stage == .sealed {
            let name = ArchiveName(begun: file.begun, journal: directory.journal, sequences: spans.sequences)
            let now = clock()
            let rules = ArchiveDirectory.Rules(
                dates: lifecycle.dates(of: file.partition.tenant, at: now),
                holds: try holds.current(for: file.partition, at: now), key: try key(for: file.partition.tenant),
                finder: finder)
            try directory.publish(file, as: name.text, format, compression, rules, at: now)
            telemetry.publishedFiles.add()
            logger.debug("published a file", metadata: ["path": "\(name.text)", "spans": "\(spans.spans)"])
        }
        try directory.complete(file)
    }

    private func move(_ file: ArchiveFile) throws(FileError) {
        let stem = nextStem(at: file.begun)
        try file.move(to: stem) { dataset throws(FileError) in
            try begin(dataset, stem, file.key)
        }
    }

    /// Whether what the file held cannot be had from it any more.
    private func isLost(_ file: ArchiveFile, _ error: FileError) -> Bool {
        file.stage == .suspect && file.paths.contains { $0 == error.path } || !file.paths.allSatisfy(Directory.has)
    }

    private func abandon(_ file: ArchiveFile, because error: FileError) {
        guard let first = file.content.spans?.sequences.lowerBound else { return }
        abandoned = min(abandoned ?? first, first)
        telemetry.abandonedFiles.add()
        logger.error(
            "lost a file; the journal keeps its records, and the next start writes them again",
            metadata: ["path": "\(file.paths.first ?? file.stem)", "first": "\(first)", "error": "\(error)"])
    }
}

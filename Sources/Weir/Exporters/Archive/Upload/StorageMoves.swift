import Logging

/// Moves files of an archive to the storage classes of their age, in its bucket. Manifests and filters stay where they
/// are, since they are read.
///
/// What was due on the day on which all was last done need not be asked about again: that day and the rules stand in
/// `.upload/classes`. What a file is in, the bucket says; so whatever ends a run, the next one goes on with the rest.
struct StorageMoves {
    /// What is done of a day's moves.
    struct Cursor {
        /// Nil until all is done.
        fileprivate var day: Day?
        fileprivate var started: Day?
        fileprivate var path: String?
        /// Whether a file of the day could not be moved, so that the bucket is asked about all of them again tomorrow.
        fileprivate var hasFailed = false
        /// The class that the bucket gives to what asks for none; nil until it was asked.
        fileprivate var usual: String?
    }

    /// Files that the bucket is asked about in one go, so that uploads do not wait for long.
    private static let maximum = 100
    /// Bytes that stores copy in one request.
    private static let maximumSize = 5 << 30
    private static let usual = "STANDARD"

    private let outbox: ArchiveOutbox
    private let lifecycle: ArchiveLifecycle
    private let storage: ObjectStorage
    private let telemetry: UploadTelemetry
    private let logger: Logger
    private var mark: String { "\(outbox.path)/classes" }

    init(
        _ outbox: ArchiveOutbox, _ lifecycle: ArchiveLifecycle, _ storage: ObjectStorage, _ telemetry: UploadTelemetry,
        _ logger: Logger
    ) {
        (self.outbox, self.lifecycle, self.storage) = (outbox, lifecycle, storage)
        (self.telemetry, self.logger) = (telemetry, logger)
    }

    /// - Parameter cursor: from where to go on, also after an error.
    nonisolated(nonsending) func run(from cursor: inout Cursor, at now: Timestamp) async throws {
        let today = Day(now)
        guard lifecycle.hasStorageClasses, cursor.day != today, try isBelieved(today) else { return }
        let last = try lastDay()
        if cursor.started != today { (cursor.started, cursor.path, cursor.hasFailed) = (today, nil, false) }
        var dates: [ArchiveCatalog.Date] = []
        let catalog = ArchiveCatalog(root: outbox.root, selection: ArchiveCatalog.Selection())
        try catalog.dates { date in
            if date.tree.isEmpty || date.tree == ArchiveFormat.parquet.tree { dates.append(date) }
        }
        if let index = dates.firstIndex(where: { $0.path == cursor.path }) { dates.removeFirst(index + 1) }
        var count = 0
        if last != today { try await askForUsual(&cursor) }
        for date in dates where last != today {
            for manifest in try catalog.found(in: date).compactMap(\.published?.manifest) {
                try Task.checkCancellation()
                let classes = lifecycle.storageClasses(of: manifest, on: today)
                guard let target = classes.last,
                    last.map({ lifecycle.storageClasses(of: manifest, on: $0).last != target }) ?? true
                else { continue }
                for file in manifest.files {
                    count += 1
                    do {
                        try await move(file, from: [cursor.usual], through: classes)
                    } catch let error as ObjectStorageError where !error.isRetryable {
                        cursor.hasFailed = true
                        logger.error(
                            "could not move a file to another storage class",
                            metadata: ["path": "\(file.path)", "class": "\(target)", "error": "\(error)"])
                    }
                }
            }
            cursor.path = date.path
            if count >= Self.maximum { return }
        }
        if !cursor.hasFailed { try Directory.replace(mark, with: Array("\(today.text) \(rules)\n".utf8)) }
        (cursor.day, cursor.started, cursor.path) = (today, nil, nil)
    }

    /// Nil where nothing is known to be done by these rules.
    private func lastDay() throws(FileError) -> Day? {
        guard Directory.has(mark) else { return nil }
        let words = String(decoding: try FileReader.contents(of: mark, limit: 1 << 10), as: UTF8.self)
            .split { $0 == " " || $0 == "\n" }
        return words.count == 2 && words[1] == rules ? Day(text: String(words[0])) : nil
    }

    /// A hash of all that says what is due, and where.
    private var rules: String {
        let classes = ([lifecycle.standard] + lifecycle.classes).map { rule in
            "\(rule.tenants.sorted()) \(rule.storageClasses.map { "\($0.name) \($0.after)" })"
        }
        let text = classes.joined(separator: "\n") + storage.description + "\(storage.configuration.endpoint)"
        return ArchiveManifest.hash(Array(text.utf8))
    }

    /// A clock that is far ahead moves nothing, as it ends nothing.
    private func isBelieved(_ today: Day) throws(FileError) -> Bool {
        try ExpiryClock(in: outbox.root).last().map { today <= $0 + ExpiryClock.maximumPause } ?? true
    }

    /// A bucket of Amazon's has none of its own: what asks for no class is in the usual one.
    private nonisolated(nonsending) func askForUsual(_ cursor: inout Cursor) async throws {
        guard storage.configuration.dialect == .gcs, storage.configuration.storageClass == nil else { return }
        do throws(ObjectStorageError) {
            cursor.usual = try await storage.defaultClass()
        } catch {
            guard !error.isRetryable else { throw error }
            logger.warning(
                "the bucket does not say its storage class; files in another one than STANDARD or storage_class stay",
                metadata: ["error": "\(error)"])
        }
    }

    /// - Parameters:
    ///   - usual: the classes in which files may stand that asked for none.
    ///   - classes: that the file has had, and the one that it is to have.
    private nonisolated(nonsending) func move(
        _ file: ArchiveManifest.File, from usual: [String?], through classes: [String]
    ) async throws {
        // What is being written anew, or went, gets its class when it is uploaded.
        guard let target = classes.last, let there = try await storage.head(file.path), there.size == file.bytes,
            there.sha256 == file.sha256
        else { return }
        let current = there.storageClass ?? Self.usual
        // What somebody's rule has moved elsewhere stays there.
        let known = ([Self.usual, storage.configuration.storageClass] + usual).compactMap(\.self) + classes
        guard current != target, known.contains(current),
            !ArchiveLifecycle.StorageClass.frozen.contains(current)
        else { return }
        guard there.size <= Self.maximumSize else {
            logger.warning(
                "a file is too large to be moved to another storage class", metadata: ["path": "\(file.path)"])
            return
        }
        let refusal = try await copy(file, there, to: target)
        guard let moved = try await storage.head(file.path), moved.size == file.bytes, moved.sha256 == file.sha256,
            moved.storageClass == target || moved.storageClass == nil && refusal == nil
        else {
            if let refusal { throw refusal }
            throw ObjectStorageError(status: 200, code: "", "the file is not in \(target) after it was moved there")
        }
        telemetry.moved.add()
    }

    /// - Returns: why the bucket refuses it. Where an answer was lost the file is there, and may not go there again.
    private nonisolated(nonsending) func copy(
        _ file: ArchiveManifest.File, _ there: ObjectStorage.Object, to target: String
    ) async throws(ObjectStorageError) -> ObjectStorageError? {
        do throws(ObjectStorageError) {
            try await storage.move(file.path, there, to: target)
            return nil
        } catch {
            guard !error.isRetryable else { throw error }
            return error
        }
    }
}

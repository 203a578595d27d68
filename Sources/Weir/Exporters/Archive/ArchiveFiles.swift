import Logging

/// The files that are being written: carries out what ``ArchiveRotation`` decides.
///
/// What is appended between one `commit` or `rollBack` and the next is one step, taken in all files or in none. No file
/// that the step wrote to is published before its end.
struct ArchiveFiles {
    /// What the step in progress did to a file.
    private struct Mark {
        let file: ArchiveFile
        /// Its length before.
        let start: Int
        let added: Int
    }

    private let directory: ArchiveDirectory
    private let logger: Logger
    private let publishedFiles: Counter
    private let abandonedFiles: Counter
    private var rotation: ArchiveRotation
    private var names: ArchiveNames
    private var open: [ArchivePartition: ArchiveFile] = [:]
    /// Complete, synced and closed; not published yet, in most cases because the step is not over.
    private var complete: [ArchiveFile] = []
    private var step: [Mark] = []

    init(
        in directory: ArchiveDirectory, rotation: ArchiveRotation, names: ArchiveNames, logger: Logger,
        publishedFiles: Counter, abandonedFiles: Counter
    ) {
        self.directory = directory
        self.rotation = rotation
        self.names = names
        self.logger = logger
        self.publishedFiles = publishedFiles
        self.abandonedFiles = abandonedFiles
    }

    /// Files that could not be published so far.
    var unpublishedCount: Int { complete.count }

    /// Returns when the operating system has the bytes. After an error the step must be rolled back.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, to partition: ArchivePartition, at now: Timestamp
    ) throws(FileError) {
        let actions = rotation.write(partition: partition, bytes: bytes.count, at: now)
        if let error = carryOut(actions, at: now) {
            rotation.undo(partition: partition, bytes: bytes.count)
            throw error
        }
        guard let file = open[partition] else { preconditionFailure("no file was opened for \(partition.path)") }
        step.append(Mark(file: file, start: file.file.length, added: bytes.count))
        try file.file.append(bytes)
    }

    /// Ends the step: its bytes stay.
    mutating func commit(at now: Timestamp) {
        step = []
        publish(at: now)
    }

    /// Ends the step: every file that it wrote to is as long as before. A file where that fails is never published.
    mutating func rollBack(at now: Timestamp) {
        for mark in step {
            do throws(FileError) {
                try mark.file.file.truncate(to: mark.start)
                rotation.undo(partition: mark.file.partition, bytes: mark.added)
            } catch {
                abandon(mark.file, because: error)
            }
        }
        step = []
        publish(at: now)
    }

    /// Publishes what is old enough.
    mutating func tick(at now: Timestamp) {
        _ = carryOut(rotation.tick(at: now), at: now)
        publish(at: now)
    }

    /// Publishes everything.
    mutating func finish(at now: Timestamp) {
        _ = carryOut(rotation.finish(), at: now)
        publish(at: now)
    }
}

extension ArchiveFiles {
    /// Does all that can be done.
    /// - Returns: the first error.
    private mutating func carryOut(_ actions: [ArchiveRotation.Action], at now: Timestamp) -> FileError? {
        var failure: FileError?
        for action in actions {
            do throws(FileError) {
                switch action {
                case .open(let partition): try begin(partition, at: now)
                case .close(let partition), .evict(let partition): try complete(partition)
                }
            } catch {
                failure = failure ?? error
            }
        }
        return failure
    }

    private mutating func begin(_ partition: ArchivePartition, at now: Timestamp) throws(FileError) {
        do {
            open[partition] = try directory.begin(names.next(at: now), in: partition)
        } catch {
            rotation.lose(partition: partition)
            throw error
        }
    }

    private mutating func complete(_ partition: ArchivePartition) throws(FileError) {
        guard let file = open.removeValue(forKey: partition) else { return }
        do {
            try file.file.sync()
            try file.file.close()
            complete.append(file)
        } catch {
            abandon(file, because: error)
            throw error
        }
    }

    private mutating func publish(at now: Timestamp) {
        let files = complete
        complete = []
        for file in files { publish(file, at: now) }
    }

    private mutating func publish(_ file: ArchiveFile, at now: Timestamp) {
        do throws(FileError) {
            // All that was written to it was taken back.
            guard file.file.length > 0 else { return try file.file.remove() }
            let path = try directory.publish(file)
            publishedFiles.add()
            logger.debug("published a file", metadata: ["path": "\(path)", "bytes": "\(file.file.length)"])
        } catch {
            return retry(file, because: error, at: now)
        }
        do throws(FileError) {
            try directory.sync(file.partition)
        } catch {
            // Readers see the file, and its bytes are synced.
            logger.warning("a power cut may hide a file that was published", metadata: ["error": "\(error)"])
        }
    }

    /// The bytes are in `.open`, whole, so the next tick tries again.
    private mutating func retry(_ file: ArchiveFile, because error: FileError, at now: Timestamp) {
        guard Directory.has(file.file.path) else { return abandon(file, because: error) }
        var file = file
        if error.isTaken { file.name = names.next(at: now) }
        complete.append(file)
        logger.error("cannot publish a file yet", metadata: ["error": "\(error)"])
    }

    /// The file stays where it is, and is not written to any more.
    private mutating func abandon(_ file: ArchiveFile, because error: FileError) {
        if open[file.partition]?.file === file.file {
            open[file.partition] = nil
            rotation.lose(partition: file.partition)
        }
        complete.removeAll { $0.file === file.file }
        try? file.file.close()
        abandonedFiles.add()
        logger.error(
            "gave up a file",
            metadata: ["path": "\(file.file.path)", "bytes": "\(file.file.length)", "error": "\(error)"])
    }
}

/// Decides which files of the archive are open: one at most for each partition.
///
/// Only decides. Whoever asks carries the actions out, in their order, before asking again.
struct ArchiveRotation {
    struct Limits: Sendable {
        /// From the first byte on.
        let age: Duration
        /// Bytes, as written. One message that is larger gets a file of its own.
        let size: Int
        /// Files that are open at a time.
        let files: Int
    }

    enum Action: Equatable {
        case open(ArchivePartition)
        /// The file is old or large enough, or all is over.
        case close(ArchivePartition)
        /// The file is closed before its time, because another is needed more.
        case evict(ArchivePartition)
    }

    private struct OpenFile {
        var openedAt: Timestamp
        var size = 0
        var lastWrite = 0
    }

    private let limits: Limits
    private var files: [ArchivePartition: OpenFile] = [:]
    private var writes = 0

    init(_ limits: Limits) {
        precondition(limits.files > 0, "an archive that may not open a file")
        self.limits = limits
    }

    var openCount: Int { files.count }

    /// To be asked before `bytes` are written. Afterwards the partition has a file open that has room for them.
    mutating func write(partition: ArchivePartition, bytes: Int, at now: Timestamp) -> [Action] {
        var actions: [Action] = []
        if let file = files[partition] {
            if hasRoom(file, for: bytes), !isDue(partition, at: now) {
                count(bytes, in: partition)
                return []
            }
            actions.append(close(partition))
        } else if files.count == limits.files, let idle = files.min(by: { $0.value.lastWrite < $1.value.lastWrite }) {
            files[idle.key] = nil
            actions.append(.evict(idle.key))
        }
        files[partition] = OpenFile(openedAt: now)
        count(bytes, in: partition)
        return actions + [.open(partition)]
    }

    /// To be asked about once a second.
    mutating func tick(at now: Timestamp) -> [Action] {
        var due: [ArchivePartition] = []
        for (partition, file) in files where file.size >= limits.size || isDue(partition, at: now) {
            due.append(partition)
        }
        return close(due)
    }

    /// Closes everything.
    mutating func finish() -> [Action] {
        close(Array(files.keys))
    }

    /// Closes the partition's file, which is open: what comes next must not go to it.
    mutating func close(_ partition: ArchivePartition) -> Action {
        files[partition] = nil
        return .close(partition)
    }

    /// The bytes last announced for the partition were taken back. Its file stays open, if it still is.
    mutating func undo(partition: ArchivePartition, bytes: Int) {
        files[partition]?.size -= bytes
    }

    /// The partition's file could not be opened.
    mutating func lose(partition: ArchivePartition) {
        files[partition] = nil
    }
}

extension ArchiveRotation {
    private func hasRoom(_ file: OpenFile, for bytes: Int) -> Bool {
        file.size == 0 || bytes <= limits.size - file.size
    }

    /// A clock that was set back makes a file young again, so that one bad second cannot keep it open for years.
    private mutating func isDue(_ partition: ArchivePartition, at now: Timestamp) -> Bool {
        guard let file = files[partition] else { return false }
        guard now >= file.openedAt else {
            files[partition]?.openedAt = now
            return false
        }
        return .nanoseconds(Int64(clamping: now.nanoseconds - file.openedAt.nanoseconds)) >= limits.age
    }

    private mutating func count(_ bytes: Int, in partition: ArchivePartition) {
        writes += 1
        files[partition]?.size += bytes
        files[partition]?.lastWrite = writes
    }

    /// Least recently written first.
    private mutating func close(_ partitions: [ArchivePartition]) -> [Action] {
        let sorted = partitions.sorted { lastWrite($0) < lastWrite($1) }
        return sorted.map { close($0) }
    }

    private func lastWrite(_ partition: ArchivePartition) -> Int {
        files[partition]?.lastWrite ?? 0
    }
}

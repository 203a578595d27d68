import Glibc

/// Where the dead letters of one exporter of one pipeline are. Every use of the file takes a lock for a moment, so that
/// a replay can move the file away while another process writes letters.
struct DeadLetterFile: Sendable {
    enum Outcome {
        case taken
        /// The file is as long as it may be.
        case full
        /// A tenant has as much of it as one may have.
        case fullForTenant
    }

    let directory: String
    /// Bytes of the file by tenant, and by what one sees that nobody else has changed it since they were counted.
    private var shares: (stamp: FileStamp, bytes: [String: Int])?

    private var file: LineFile { LineFile("letters.jsonl", in: directory) }
    private var replayed: LineFile { LineFile("replay.jsonl", in: directory) }

    /// Creates the directory if it is missing.
    init(_ pipeline: String, exporter: ComponentID) throws(FileError) {
        directory = Self.directory(pipeline, exporter: exporter)
        try Directory.create(directory)
    }

    static func directory(_ pipeline: String, exporter: ComponentID) -> String {
        "\(pipeline)/dead_letters/\(exporter.fileName)"
    }

    /// Without a limit: what was there before, or cannot be read.
    ///
    /// - Parameter lines: each with its line feed.
    func append(_ lines: [UInt8]) throws(FileError) {
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        try file.append(lines)
    }

    /// All of the letters, or none.
    ///
    /// - Parameter limit: bytes that the file may have.
    mutating func append(_ letters: [Letter], limit: Int) throws(FileError) -> Outcome {
        var lines: [UInt8] = []
        var added: [String: Int] = [:]
        for letter in letters {
            let line = letter.line
            lines += line
            added[letter.kept.record.tenant, default: 0] += line.count
        }
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        let size = try file.repair() + lines.count
        // No tenant has more than all of them.
        guard size > limit / 2 else {
            try file.append(lines)
            return .taken
        }
        var used = try countShares()
        for (tenant, bytes) in added {
            let own = used[tenant, default: 0]
            guard LetterDirectory.Limits.hasRoom(for: bytes, besides: own, limit: limit) else { return .fullForTenant }
            used[tenant] = own + bytes
        }
        guard size <= limit else { return .full }
        try file.append(lines)
        shares = FileStamp(of: file.path).map { ($0, used) }
        return .taken
    }

    /// Reads the file only where a replay, an erasure or an earlier process has changed it. For who holds the lock.
    private mutating func countShares() throws(FileError) -> [String: Int] {
        guard let stamp = FileStamp(of: file.path) else { return [:] }
        if let shares, shares.stamp == stamp { return shares.bytes }
        var bytes: [String: Int] = [:]
        var reader = try LineReader(file.path, from: 0)
        var start = 0
        while let entry = try reader.next({ LetterEntry(parsing: $0, withPayload: false) }) {
            if case .record(let kept) = entry { bytes[kept.record.tenant, default: 0] += reader.offset - start }
            start = reader.offset
        }
        shares = (stamp, bytes)
        return bytes
    }

    /// Keeps others from replaying these letters. Nil where somebody does.
    func lockReplay() throws(FileError) -> FileLock? {
        try FileLock.take("\(directory)/replay.lock")
    }

    /// What an earlier replay did not come to. For who holds the lock.
    func leftover() throws(FileError) -> LetterQueue {
        try LetterQueue(replayed)
    }

    /// Moves the letters to where a replay takes them from, which must be empty. For who holds the lock.
    func moveAway() throws(FileError) -> LetterQueue {
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        if Directory.has(file.path) {
            guard rename(file.path, replayed.path) == 0 else { throw FileError("rename", file.path) }
            try Directory.sync(directory)
        }
        return try LetterQueue(replayed)
    }
}

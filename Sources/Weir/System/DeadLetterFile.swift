import Glibc

/// Where the dead letters of one exporter of one pipeline are. Every use of the file takes a lock for a moment, so that
/// a replay can move the file away while another process writes letters.
struct DeadLetterFile: Sendable {
    let directory: String

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

    /// - Parameters:
    ///   - lines: each with its line feed.
    ///   - limit: bytes that the file may have.
    /// - Returns: whether the lines fit.
    func append(_ lines: [UInt8], limit: Int = .max) throws(FileError) -> Bool {
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        return try file.append(lines, where: { $0 <= limit }) != nil
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

/// Lines on disk of which the newest are kept: two files, of which the older goes when the newer is full.
struct RecentLines {
    private let directory: String
    private let name: String
    /// Of each file.
    private let maxBytes: Int

    /// - Parameter maxBytes: of both files.
    init(_ name: String, in directory: String, maxBytes: Int) throws(FileError) {
        self.name = name
        self.directory = directory
        self.maxBytes = max(4_096, maxBytes / 2)
        try Directory.create(directory)
    }

    private var newer: LineFile { LineFile(name, in: directory) }
    private var older: LineFile { LineFile("\(name).old", in: directory) }

    /// Returns when the lines are where a power cut leaves them. More than the limit at once are kept all the same.
    func append(_ lines: [UInt8]) throws(FileError) {
        guard !lines.isEmpty else { return }
        let limit = maxBytes
        if try newer.append(lines, where: { $0 <= limit || $0 == lines.count }) != nil { return }
        try older.remove()
        try AppendFile(extending: newer.path).rename(to: older.path)
        try Directory.sync(directory)
        try newer.append(lines)
    }

    /// Calls `body` with each line, without its line feed, from the oldest on. One that did not end is not there.
    func forEach(_ body: (UnsafeRawBufferPointer) -> Void) throws(FileError) {
        for file in [older, newer] where Directory.has(file.path) {
            var reader = try LineReader(file.path, from: 0)
            while try reader.next({ body(UnsafeRawBufferPointer(rebasing: $0.dropLast())) }) != nil {}
        }
    }
}

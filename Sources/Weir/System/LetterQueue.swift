/// Records in a file, taken from the front and added at the end. What was taken is noted at the end of the same file;
/// once nothing is left, the file goes.
struct LetterQueue {
    /// Bytes of lines that are done with from which on they are worth their room.
    private static let worthwhile = 1 << 20

    private let file: LineFile
    /// How long the file is.
    private(set) var size = 0
    /// Bytes without those of lines that are done with.
    var used: Int { size - head }
    /// Lines that nobody has taken, and what they hold.
    private(set) var count = 0
    private(set) var spans = 0
    /// Whose record is the first.
    private(set) var tenant: String?
    /// Where the first line that nobody has taken may be.
    private var head = 0
    /// Where the lines end that were handed out and not taken, and their spans.
    private var handedOut: [(end: Int, spans: Int)] = []

    /// Reads what is there; an unfinished line at the end is cut off.
    init(_ file: LineFile) throws(FileError) {
        self.file = file
        size = try file.repair()
        guard size > 0 else { return }
        var lines: [(end: Int, spans: Int)] = []
        var reader = try LineReader(file.path, from: 0)
        while let entry = try reader.next({ LetterEntry(parsing: $0, withPayload: false) }) {
            switch entry {
            case .done(let offset): head = max(head, offset)
            case .record(let kept):
                tenant = tenant ?? kept.record.tenant
                lines.append((reader.offset, kept.record.spanCount))
            // Whoever takes it has to see what becomes of it.
            case nil: lines.append((reader.offset, 0))
            }
        }
        let left = lines.filter { $0.end > head }
        count = left.count
        spans = left.reduce(0) { $0 + $1.spans }
        if count == 0 { try clear() }
    }

    /// - Returns: whether the file may be so long.
    mutating func append(
        _ letters: [Letter], where isAllowed: (_ added: Int) -> Bool = { _ in true }
    ) throws(FileError) -> Bool {
        let lines = letters.flatMap(\.line)
        guard let size = try file.append(lines, where: { _ in isAllowed(lines.count) }) else { return false }
        self.size = size
        count += letters.count
        spans += letters.reduce(0) { $0 + $1.kept.record.spanCount }
        tenant = tenant ?? letters.first?.kept.record.tenant
        return true
    }

    /// The first records, at least one if there is any. They stay until ``forget(_:)``.
    ///
    /// - Parameter unreadable: gets a line that is something else, with its line feed, and makes it somebody else's.
    mutating func peek(
        maxSpans: Int, maxBytes: Int, unreadable: ([UInt8]) throws(FileError) -> Void
    ) throws(FileError) -> [KeptRecord] {
        handedOut = []
        guard count > 0 else { return [] }
        // Where there is no room for it, it is not urgent.
        if head >= Self.worthwhile, head > size / 2 { try? shorten() }
        var records: [KeptRecord] = []
        var (spans, bytes) = (0, 0)
        var reader = try LineReader(file.path, from: head)
        while let line = try reader.next({ (entry: LetterEntry(parsing: $0), bytes: Array($0)) }) {
            switch line.entry {
            case .done: continue
            case .record(let kept):
                spans += kept.record.spanCount
                bytes += kept.record.payload.count
                if !records.isEmpty, spans > maxSpans || bytes > maxBytes { return records }
                records.append(kept)
                handedOut.append((reader.offset, kept.record.spanCount))
            case nil:
                // Only in front, so that what is taken is always from the front on.
                guard records.isEmpty else { return records }
                try unreadable(line.bytes)
                handedOut = [(reader.offset, 0)]
                try forget(1)
            }
        }
        return records
    }

    /// The first `count` of the records that were handed out are somebody else's.
    mutating func forget(_ count: Int) throws(FileError) {
        guard count > 0 else { return }
        precondition(count <= handedOut.count, "\(count) records are forgotten of \(handedOut.count)")
        if count == self.count {
            return try clear()
        }
        size = try file.append(LetterEntry.doneLine(before: handedOut[count - 1].end)) ?? size
        head = handedOut[count - 1].end
        self.count -= count
        spans -= handedOut[..<count].reduce(0) { $0 + $1.spans }
        handedOut.removeFirst(count)
    }

    /// Writes the file anew, without what is done with.
    private mutating func shorten() throws(FileError) {
        let path = "\(file.path).new"
        if Directory.has(path) { try Directory.removeFile(path) }
        let draft = try AppendFile(creating: path)
        var reader = try LineReader(file.path, from: head)
        while let line = try reader.next({ (entry: LetterEntry(parsing: $0, withPayload: false), bytes: Array($0)) }) {
            if case .done = line.entry { continue }
            try line.bytes.withUnsafeBytes { bytes in
                Result { () throws(FileError) in try draft.append(bytes) }
            }.get()
        }
        try draft.sync()
        try draft.close()
        try Directory.move(path, to: file.path)
        // It is this file from here on, also where nobody knows whether a power cut leaves it.
        (size, head) = (draft.end.length, 0)
        try Directory.sync(file.directory)
    }

    private mutating func clear() throws(FileError) {
        try file.remove()
        (size, count, spans, head, tenant, handedOut) = (0, 0, 0, 0, nil, [])
        try Directory.sync(file.directory)
    }
}

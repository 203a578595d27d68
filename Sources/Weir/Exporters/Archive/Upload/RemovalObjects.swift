/// The lines of ``ArchiveRemovals`` as a bucket has them: an object for each journal and day. Their file grows for as
/// long as there is an archive, so it is read on from where it was read to, and no more than an object is in memory.
struct RemovalObjects {
    private let path: String
    /// The file that was read, and up to where.
    private var stamp: FileStamp?
    private var end = 0
    /// Where the lines of each object are. Between them may be lines of others.
    private var places: [String: Range<Int>] = [:]
    /// Objects that have lines which nobody has brought to the bucket.
    private(set) var changed: Set<String> = []

    /// - Parameter root: of the archive.
    init(in root: String) {
        path = "\(root)/\(ArchiveRemovals.directory)\(ArchiveRemovals.name)"
    }

    /// Finds out which objects have more lines than before.
    mutating func readOn() throws(FileError) {
        guard let stamp = FileStamp(of: path), stamp != self.stamp else { return }
        let (isSame, isWhole) = (self.stamp.map(stamp.isOfSameFile) ?? false, try endsLine(at: end))
        // Whatever is in another one is new, and in one that was cut.
        if !isSame || !isWhole { (end, places) = (0, [:]) }
        try Self.forEachLine(of: path, in: end..<Int.max) { name, _, place in
            places[name] = (places[name]?.lowerBound ?? place.lowerBound)..<place.upperBound
            changed.insert(name)
            end = place.upperBound
        }
        self.stamp = stamp
    }

    /// The lines of an object, as far as they were read.
    func bytes(of name: String) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        try Self.forEachLine(of: path, in: places[name] ?? 0..<0) { found, line, _ in
            if found == name { bytes += line }
        }
        return bytes
    }

    /// The bucket has what was read.
    mutating func finish(_ name: String) { changed.remove(name) }

    private func endsLine(at offset: Int) throws(FileError) -> Bool {
        guard offset > 0 else { return true }
        guard try Directory.size(ofFile: path) >= offset else { return false }
        return try FileReader.piece(of: path, offset - 1..<offset) == [UInt8(ascii: "\n")]
    }

    /// - Parameter body: gets the name of a line's object, the line, and where it stands.
    private static func forEachLine(
        of path: String, in range: Range<Int>, _ body: (String, UnsafeRawBufferPointer, Range<Int>) -> Void
    ) throws(FileError) {
        guard !range.isEmpty else { return }
        var reader = try LineReader(path, from: range.lowerBound, atMost: ArchiveRemovals.maximumLine)
        var start = range.lowerBound
        while start < range.upperBound {
            let count = try reader.next { line in
                if let name = name(of: line) { body(name, line, start..<start + line.count) }
                return line.count
            }
            guard let count else { return }
            start += count
        }
    }

    /// Nil where nobody can say where it belongs: what somebody wrote there must not become a name.
    private static func name(of line: UnsafeRawBufferPointer) -> String? {
        let tree = JSONTreeReader.value(UnsafeRawBufferPointer(rebasing: line.dropLast()))
        guard let journal = tree?["journal"]?.asText.flatMap({ UInt64($0, radix: 16) }),
            let day = Day(text: String(tree?["at"]?.asText?.prefix(10) ?? ""))
        else { return nil }
        let name = "\(ArchiveRemovals.start)-\(journal.digits(16, radix: 16))-\(day.text)"
        return ArchiveRemovals.directory + name + ArchiveRemovals.end
    }
}

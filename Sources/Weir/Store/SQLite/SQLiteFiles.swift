/// The files of days that are open for writing. What one of them may take depends on how many there are.
struct SQLiteFiles {
    /// More than the days of which a request may have spans (``ClockWindow``). Of spans that come late, or again, a
    /// batch may have a few of each, and to open a file anew takes longer than to write them.
    static let maxOpen = 40

    private let directory: SQLiteDirectory
    /// Least recently used first.
    private var open: [(day: Day, file: SQLiteFile)] = []

    init(in directory: SQLiteDirectory) {
        self.directory = directory
    }

    mutating func file(of day: Day, at now: Timestamp) throws(SQLiteFailure) -> SQLiteFile {
        if let index = open.firstIndex(where: { $0.day == day }) {
            let entry = open.remove(at: index)
            open.append(entry)
            return entry.file
        }
        if open.count == Self.maxOpen {
            open.removeFirst().file.close()
            Heap.giveBack()
        }
        let file = try directory.open(day, at: now)
        open.append((day, file))
        for entry in open { try entry.file.share(with: open.count) }
        return file
    }

    mutating func close(_ day: Day) {
        for entry in open where entry.day == day { entry.file.close() }
        open.removeAll { $0.day == day }
    }

    mutating func closeAll() {
        for entry in open { entry.file.close() }
        open = []
    }

    func checkpointIfIdle(at now: Timestamp) {
        for entry in open { entry.file.checkpointIfIdle(at: now) }
    }
}

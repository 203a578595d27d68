/// The files of days that are open for writing: few, since each takes memory for its pages.
struct SQLiteFiles {
    /// Yesterday, today, tomorrow, and one that came late.
    static let maxOpen = 4

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
            // Its pages were 128 MiB at most.
            Heap.giveBack()
        }
        let file = try directory.open(day, at: now)
        open.append((day, file))
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

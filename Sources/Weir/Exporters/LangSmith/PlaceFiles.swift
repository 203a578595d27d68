/// Where the places of runs stand on the disk, for one exporter and one journal: `young` and `old`, as in
/// ``TraceIndex``. What is lost of them costs trees their shape, and no run.
struct PlaceFiles {
    private let directory: String
    /// Nil where another process has the files, as a replay finds them: then they are only read.
    private var lock: FileLock?
    /// Nil before the first append, and after an error of which nobody knows what it left.
    private var young: AppendFile?

    init(_ directory: String) throws(FileError) {
        self.directory = directory
        try Directory.create(directory)
        lock = try FileLock.take("\(directory)/lock")
    }

    var isOwn: Bool { lock != nil }

    /// The process that has the files may have ended.
    mutating func takeOver() throws(FileError) {
        if lock == nil { lock = try FileLock.take("\(directory)/lock") }
    }

    /// As if another process had the files.
    mutating func letGo() {
        (lock, young) = (nil, nil)
    }

    /// Tells `index` what earlier processes have fixed.
    mutating func restore(into index: inout TraceIndex) throws(FileError) {
        for name in ["old", "young"] where Directory.has("\(directory)/\(name)") {
            var reader = try LineReader("\(directory)/\(name)", from: 0)
            while let place = try reader.next({ FixedPlace(line: $0) }) {
                if let place { index.restore(place) }
            }
        }
        index.forgetNews()
    }

    /// Returns when the operating system has the places, and the disk where `isSafe`.
    mutating func append(_ places: [FixedPlace], hasTurned: Bool, isSafe: Bool) throws(FileError) {
        guard isOwn else { return }
        if hasTurned { try turn() }
        guard !places.isEmpty else { return }
        var writer = JSONWriter(capacity: places.reduce(0) { $0 + $1.size })
        for place in places { place.write(to: &writer) }
        let file = try open()
        young = nil
        try file.append(writer.written)
        if isSafe { try file.sync() }
        young = file
    }

    /// Goes on behind the last line that was written to its end.
    private func open() throws(FileError) -> AppendFile {
        if let young { return young }
        _ = try LineFile("young", in: directory).repair()
        return try AppendFile(extending: "\(directory)/young")
    }

    private mutating func turn() throws(FileError) {
        let file = try open()
        young = nil
        try file.close()
        try Directory.move("\(directory)/young", to: "\(directory)/old")
    }
}

/// Where the places of runs stand on the disk, for one exporter and one journal: `young` and `old`, as in
/// ``TraceIndex``. What is lost of them costs trees their shape, and no run.
struct PlaceFiles {
    private let directory: String
    private let lock: FileLock?
    /// Nil where another process has the files, as a replay finds them: then they are only read.
    private var young: AppendFile?
    private var isTorn = false

    init(_ directory: String) throws(FileError) {
        self.directory = directory
        try Directory.create(directory)
        lock = try FileLock.take("\(directory)/lock")
        young = lock == nil ? nil : try AppendFile(extending: "\(directory)/young")
    }

    var isOwn: Bool { young != nil }

    /// Tells `index` what earlier processes have fixed.
    mutating func restore(into index: inout TraceIndex) throws(FileError) {
        for name in ["old", "young"] where Directory.has("\(directory)/\(name)") {
            var reader = try LineReader("\(directory)/\(name)", from: 0)
            while let place = try reader.next({ FixedPlace(line: $0) }) {
                if let place { index.restore(place) }
            }
            // A line that a crash left unfinished.
            if name == "young" { try young?.cut(to: reader.offset) }
        }
        index.forgetNews()
    }

    /// Returns when the operating system has the places, and the disk where `isSafe`.
    mutating func append(_ places: [FixedPlace], hasTurned: Bool, isSafe: Bool) throws(FileError) {
        if hasTurned { try turn() }
        guard let young, !places.isEmpty else { return }
        var writer = JSONWriter(capacity: places.reduce(0) { $0 + $1.size })
        for place in places { place.write(to: &writer) }
        let end = young.end
        if isTorn { try young.truncate(to: end) }
        isTorn = true
        try young.append(writer.written)
        isTorn = false
        if isSafe { try young.sync() }
    }

    private mutating func turn() throws(FileError) {
        guard let young else { return }
        if Directory.has("\(directory)/old") { try Directory.removeFile("\(directory)/old") }
        try young.close()
        try young.rename(to: "\(directory)/old")
        self.young = try AppendFile(extending: "\(directory)/young")
        isTorn = false
    }
}

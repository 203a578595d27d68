/// What was asked to be erased or kept, and what was done for it: lines in a file that only grows, each with the hash
/// of the one before.
struct ErasureRegister {
    /// Bytes of the file.
    private static let maximumSize = 1 << 30
    private static let keySize = 32
    private static let name = "register.jsonl"
    /// Of one file of traces: the newest.
    static let maxTraces = 1_000_000

    let directory: String
    private let maxTraces: Int
    private let key: [UInt8]
    /// What says where the file ends; nil for who takes it as it is.
    private let end: RegisterEnd?
    private(set) var entries: [ErasureEntry] = []
    private var told = ErasureRequests()
    /// Of the last entry.
    private var hash: String?
    /// By what the file was seen to be what was read.
    private(set) var stamp: FileStamp?

    /// Makes what is missing of the directory, and reads what is there.
    /// - Parameters:
    ///   - takesAnyEnd: also where lines are missing at its end. What is appended then ends it.
    ///   - maxTraces: that are read of one file.
    init(
        _ directory: String, takesAnyEnd: Bool = false, maxTraces: Int = Self.maxTraces
    ) throws(FileError) {
        self.directory = directory
        self.maxTraces = maxTraces
        try Directory.create(directory)
        key = try KeyFile.read("\(directory)/key", size: Self.keySize)
        end = takesAnyEnd ? nil : RegisterEnd(in: directory, key)
        try load()
    }

    /// For who only looks at it: makes nothing, and may not be able to read the key.
    init(reading directory: String) throws(FileError) {
        self.directory = directory
        maxTraces = Self.maxTraces
        let bytes = (try? FileReader.contents(of: "\(directory)/key", limit: Self.keySize)) ?? []
        key = bytes.count == Self.keySize ? bytes : []
        // Without the key it cannot be told whether somebody else has written where it ends, but what is written there.
        end = RegisterEnd(in: directory, key.isEmpty ? nil : key)
        // What may not be looked into is not empty.
        if try Directory.isThere(path) { try load() }
    }

    private var path: String { "\(directory)/\(Self.name)" }

    var isChanged: Bool { FileStamp(of: path) != stamp }

    /// Reads the file again.
    /// - Throws: also where a line was changed, or is missing.
    mutating func load() throws(FileError) {
        // Read first: somebody may write a line meanwhile, and then where it ends.
        let place = try end?.read()
        let stamp = FileStamp(of: path)
        guard stamp != nil else {
            try end?.check(place, [], path)
            (entries, told, hash, self.stamp) = ([], ErasureRequests(), nil, nil)
            return
        }
        let bytes = try FileReader.contents(of: path, limit: Self.maximumSize)
        var entries: [ErasureEntry] = []
        var last: String?
        var hashes: [String] = []
        // What stands behind the last line feed was not written to its end, and so never was.
        let lines = bytes[..<((bytes.lastIndex(of: 0x0A) ?? -1) + 1)].split(separator: 0x0A)
        for line in lines {
            guard let entry = line.withUnsafeBytes({ ErasureEntry($0) }), entry.number == entries.count + 1,
                entry.previous == last
            else { throw .damaged("\(path), line \(entries.count + 1)") }
            entries.append(entry)
            last = Digest.sha256(Array(line) + [0x0A]).hexadecimal
            hashes.append(last ?? "")
        }
        if entries.contains(where: \.isEndKept) || place != nil { try end?.check(place, hashes, path) }
        (self.entries, told, hash, self.stamp) = (entries, ErasureRequests(entries), last, stamp)
    }

    /// Returns when a power cut cannot take the entry.
    /// - Parameter make: gives it, by what the register says when nobody else can add to it; nil for none.
    @discardableResult
    mutating func append(
        at now: Timestamp, _ make: (ErasureRegister) throws -> ErasureEntry?
    ) throws -> ErasureEntry? {
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        if isChanged { try load() }
        guard var entry = try make(self) else { return nil }
        entry.number = entries.count + 1
        entry.previous = hash
        entry.isEndKept = true
        entry.at = now
        let line = entry.line
        let lineHash = Digest.sha256(line).hexadecimal
        let end = RegisterEnd(in: directory, key)
        // The line says that there is one, also of who is killed right behind it.
        if !end.isThere { try end.write(RegisterEnd.Place(lines: entries.count, hash: hash)) }
        try LineFile(Self.name, in: directory).append(line)
        entries.append(entry)
        told.add(entry)
        hash = lineHash
        try end.write(RegisterEnd.Place(lines: entry.number, hash: lineHash))
        stamp = FileStamp(of: path)
        return entry
    }

    /// Held by whoever erases, or brings back or sends what may have been erased meanwhile.
    /// - Returns: nil where somebody has it.
    func lockPlaces() throws(FileError) -> FileLock? { try FileLock.take("\(directory)/places") }

    /// A name for a new request or hold.
    static func newID() -> String { UInt64.random(in: .min ... .max).digits(16, radix: 16) }

    // MARK: What it says

    /// False for one who may not read it.
    var hasKey: Bool { !key.isEmpty }

    /// What finds names in what is archived; nil for one who may not read the key.
    func finder() -> SubjectFinder? { hasKey ? SubjectFinder(key) : nil }

    /// For who reads nothing but the key. It is made where it is not there.
    static func finder(in directory: String) throws(FileError) -> SubjectFinder {
        try Directory.create(directory)
        return SubjectFinder(try KeyFile.read("\(directory)/key", size: keySize))
    }

    func hash(of family: SubjectFamily, tenant: String) -> SubjectHash {
        SubjectHash(key: key, tenant: tenant, family)
    }

    /// In the order in which they came.
    var requests: [ErasureRequest] { told.all }

    /// Those whose subjects are tombstones.
    var tombstones: [ErasureRequest] { requests.filter { $0.tombstoneAt != nil } }

    /// Those that were not released.
    var holds: [ErasureEntry] {
        let released = Set(entries.filter { $0.kind == .release }.map(\.id))
        return entries.filter { $0.kind == .hold && !released.contains($0.id) }
    }

    /// What keeps a subject from being erased.
    /// - Parameter names: hashes; none for the whole tenant.
    func hold(on tenant: String, names: [[UInt8]]) -> ErasureEntry? {
        holds.first { hold in
            hold.tenant == tenant && (hold.attribute == nil || !Set(hold.names).isDisjoint(with: names))
        }
    }

    /// Of one that is on a subject, whose that is; of several by the same attributes.
    func subject(of holds: [ErasureEntry]) -> ErasedSubjects.Group? {
        guard let first = holds.first, let tenant = first.tenant, let attribute = first.attribute else { return nil }
        let family = SubjectFamily(of: attribute)
        var group = ErasedSubjects.Group(tenant: tenant, family: family, hash: hash(of: family, tenant: tenant))
        group.names = Set(holds.flatMap(\.names))
        return group
    }

    /// Copies of key stores that were made and are not known to be gone, by the id of the store's index key. A store
    /// that was put back from one of them does not know of those that were made later.
    var backups: [UInt64: Set<String>] {
        var backups: [UInt64: Set<String>] = [:]
        for entry in entries where entry.kind == .backup || entry.kind == .forget {
            guard let store = UInt64(entry.id, radix: 16), let path = entry.place else { continue }
            if entry.kind == .backup {
                backups[store, default: []].insert(path)
            } else {
                backups[store]?.remove(path)
            }
        }
        return backups
    }

    /// What keeps days of the hot tables.
    var keepers: [ErasureEntry] { holds + entries.filter { $0.kind == .restore } }

    // MARK: Traces

    /// Ids of traces, a line each.
    private func traces(of family: SubjectFamily, tenant: String) -> LineFile {
        let digest = hash(of: family, tenant: tenant).digest(of: Array("traces".utf8)).hexadecimal
        return LineFile("traces-\(digest)", in: directory)
    }

    func stampOfTraces(_ group: ErasedSubjects.Group) -> FileStamp? {
        FileStamp(of: traces(of: group.family, tenant: group.tenant).path)
    }

    func readTraces(of family: SubjectFamily, tenant: String) throws(FileError) -> Set<TraceID> {
        let file = traces(of: family, tenant: tenant)
        var found: Set<TraceID> = []
        let size = Directory.has(file.path) ? try Directory.size(ofFile: file.path) : 0
        guard size > 0 else { return [] }
        var reader = try LineReader(file.path, from: max(0, size / 33 - maxTraces) * 33)
        while let id = try reader.next({ TraceID(String(decoding: $0.dropLast(), as: UTF8.self)) }) {
            if let id { found.insert(id) }
        }
        return found
    }

    /// Returns when a power cut cannot take them.
    func add(_ found: Set<TraceID>, of family: SubjectFamily, tenant: String) throws(FileError) {
        guard !found.isEmpty else { return }
        let lock = try FileLock.take("\(directory)/lock", waits: true)
        defer { withExtendedLifetime(lock) {} }
        let new = found.subtracting(try readTraces(of: family, tenant: tenant))
        guard !new.isEmpty else { return }
        try traces(of: family, tenant: tenant).append(new.flatMap { Array("\($0.text)\n".utf8) })
    }

    // MARK: Subjects

    /// Those of these requests, with the traces that are known of them.
    func subjects(of requests: [ErasureRequest]) throws(FileError) -> ErasedSubjects {
        var subjects = ErasedSubjects()
        guard requests.isEmpty || !key.isEmpty else {
            throw .damaged("\(directory)/key", "cannot be read, and only with it can be told who was erased")
        }
        for request in requests {
            var group = ErasedSubjects.Group(
                tenant: request.tenant, family: request.family,
                hash: hash(of: request.family, tenant: request.tenant))
            group.names = Set(request.names)
            group.keys = request.dataKeys
            subjects.add(group)
        }
        for group in subjects.all {
            var traced = group
            traced.traces = try readTraces(of: group.family, tenant: group.tenant)
            subjects.add(traced)
        }
        return subjects
    }
}

/// A subject that somebody wants erased.
struct ErasureRequest: Sendable {
    let id: String
    let tenant: String
    let attribute: String
    let family: SubjectFamily
    let names: [[UInt8]]
    let tags: [[UInt8]]
    let at: Timestamp
    /// From when on spans of the subject are not stored; nil as long as a hold may cover what is erased.
    private(set) var tombstoneAt: Timestamp?
    /// Keys were there again, and nothing was done since.
    private(set) var isReopened = false
    /// When nothing was left to do; nil as long as something is.
    private(set) var completedAt: Timestamp?
    private(set) var steps: [ErasureEntry] = []
    /// The ids of those that were found in key stores.
    private(set) var dataKeys: Set<UInt64> = []

    init?(_ entry: ErasureEntry) {
        guard let tenant = entry.tenant, let attribute = entry.attribute else { return nil }
        (id, self.tenant, self.attribute, at) = (entry.id, tenant, attribute, entry.at)
        family = SubjectFamily(of: attribute)
        names = entry.names
        tags = entry.tags
        tombstoneAt = entry.holds.isEmpty ? entry.at : nil
    }

    /// Whether its keys were destroyed, or there were none.
    var isPastKeys: Bool { completedAt != nil || isReopened || steps.contains { $0.place == "keys" } }

    mutating func add(_ entry: ErasureEntry) {
        switch entry.kind {
        case .clear: tombstoneAt = tombstoneAt ?? entry.at
        case .keys: dataKeys.formUnion(entry.dataKeys)
        case .complete: (completedAt, isReopened) = (entry.at, false)
        case .reopen: (completedAt, isReopened) = (nil, true)
        default: steps.append(entry)
        }
    }
}

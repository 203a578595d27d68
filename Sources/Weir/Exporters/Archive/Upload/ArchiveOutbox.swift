/// What a bucket does not have yet of an archive: the directory `.upload`, with a copy of each manifest that is to go
/// up with its files, and lists of names that are to go from the bucket. It is there where the archive has a bucket.
///
/// Whoever changes an archive says so here *before* a manifest gets its name, or a file loses it. So a crash leaves a
/// note too many, which ``ArchiveUploader`` recognises, and never one too few.
struct ArchiveOutbox {
    /// A manifest that waits.
    struct Entry: Comparable {
        let name: String
        /// What its files have; 0 for what was there before the archive had a bucket.
        let bytes: Int

        static func < (left: Entry, right: Entry) -> Bool { left.name < right.name }
    }

    /// Names that are to go from the bucket, from the archive's directory on.
    struct Removal {
        let name: String
        let paths: [String]
        /// The SHA-256 of the manifest, and of those that it is in place of; none in a list that does not say so.
        let hashes: [String]
    }

    static let directory = ".upload"
    private static let entrySuffix = ".manifest.json"
    private static let removalSuffix = ".remove"
    private static let asideSuffix = ".aside"
    /// In front of what is no path in a list.
    private static let hashMark = "#"
    /// Bytes of a list.
    private static let maxRemoval = 16 << 20
    /// Of a SHA-256, in the name of what it is of.
    private static let hashDigits = 32

    /// Of the archive.
    let root: String
    var path: String { "\(root)/\(Self.directory)" }
    /// What is in the bucket, and still here.
    var done: String { "\(path)/done" }
    /// What is in the bucket only.
    var away: String { "\(path)/away" }

    /// Nil where the archive has no bucket.
    init?(of root: String) {
        self.root = root
        guard Directory.has(path) else { return nil }
    }

    private init(creating root: String) throws(FileError) {
        self.root = root
        try Directory.create(done)
        try Directory.create(away)
    }

    /// From now on the archive has a bucket.
    static func create(_ root: String) throws(FileError) -> ArchiveOutbox {
        try ArchiveOutbox(creating: root)
    }

    /// The manifest is about to get its name. May be said again.
    /// - Parameter isOld: it has had it since before the archive had a bucket.
    func add(_ manifest: ArchiveManifest, _ bytes: [UInt8], isOld: Bool = false) throws(FileError) {
        let target = "\(path)/\(Self.name(of: manifest, bytes, isOld: isOld))"
        // An erasure that was interrupted is gone on with; what was set aside of it meanwhile would count for ever.
        if Directory.has(target + Self.asideSuffix) { try Directory.removeFile(target + Self.asideSuffix) }
        if !manifest.supersedes.isEmpty { try discount(manifest.supersedes) }
        guard !Directory.has(target) else { return }
        try Directory.replace(target, with: bytes)
    }

    /// What waits of manifests that were superseded counts no more: the files that took their place do.
    /// - Parameter hashes: the SHA-256 of each.
    private func discount(_ hashes: [String]) throws(FileError) {
        let starts = Set(hashes.map { $0.prefix(Self.hashDigits) })
        for entry in try entries() where entry.bytes > 0 {
            let parts = entry.name.split(separator: "-")
            guard parts.count == 3, starts.contains(parts[1]) else { continue }
            try discount(entry.name, as: "\(parts[0])-\(parts[1])-0\(Self.entrySuffix)")
        }
    }

    private func discount(_ name: String, as other: String) throws(FileError) {
        do throws(FileError) {
            try Directory.move("\(path)/\(name)", to: "\(path)/\(other)")
        } catch {
            // It was uploaded, or never waited.
            guard error.isMissing else { throw error }
        }
    }

    private static func name(of manifest: ArchiveManifest, _ bytes: [UInt8], isOld: Bool) -> String {
        let size = isOld ? 0 : manifest.files.reduce(0) { $0 + $1.bytes }
        let hash = ArchiveManifest.hash(bytes).prefix(hashDigits)
        return "\(manifest.number.digits(20))-\(hash)-\(size)\(entrySuffix)"
    }

    /// The manifest and its files are about to be removed, and what is in place of them was added. May be said again.
    func remove(_ manifest: ArchiveManifest, _ bytes: [UInt8]) throws(FileError) {
        let paths = [manifest.manifestPath] + manifest.allFiles.map(\.path)
        let hashes = ([ArchiveManifest.hash(bytes)] + manifest.supersedes).map { Self.hashMark + $0 }
        let list = Array((paths + hashes).map { "\($0)\n" }.joined().utf8)
        let name = ArchiveManifest.hash(list).prefix(Self.hashDigits)
        try Directory.replace("\(path)/\(name)\(Self.removalSuffix)", with: list)
        // It goes up no more, and waits for nothing but to be forgotten.
        try discount(Self.name(of: manifest, bytes, isOld: false), as: Self.name(of: manifest, bytes, isOld: true))
        for isOld in [false, true] {
            // Nobody is to bring it back from there.
            let entry = "\(away)/\(Self.name(of: manifest, bytes, isOld: isOld))"
            if Directory.has(entry) { try Directory.removeFile(entry) }
        }
    }

    // MARK: Reading

    /// In the order of their numbers.
    func entries() throws(FileError) -> [Entry] {
        var entries: [Entry] = []
        try Directory.visit(path) { name in
            guard name.hasSuffix(Self.entrySuffix) else { return }
            let bytes = name.dropLast(Self.entrySuffix.count).split(separator: "-").last.flatMap { Int($0) }
            entries.append(Entry(name: name, bytes: bytes ?? 0))
        }
        return entries.sorted()
    }

    /// How many manifests are to go from the bucket, with their files.
    func removalCount() throws(FileError) -> Int { try removalNames().count }

    private func removalNames() throws(FileError) -> [String] {
        try Directory.names(in: path).filter { $0.hasSuffix(Self.removalSuffix) }
    }

    func removals() throws(FileError) -> [Removal] {
        try removalNames().map { name throws(FileError) in
            let bytes = try FileReader.contents(of: "\(path)/\(name)", limit: Self.maxRemoval)
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            return Removal(
                name: name, paths: lines.filter { !$0.hasPrefix(Self.hashMark) }.map(String.init),
                hashes: lines.filter { $0.hasPrefix(Self.hashMark) }.map { String($0.dropFirst()) })
        }
    }

    /// Files that were written anew, and that the bucket has as they were before.
    func rewritten() throws(FileError) -> Int {
        var count = 0
        for name in try Directory.names(in: path)
        where name.hasSuffix(Self.entrySuffix) || name.hasSuffix(Self.entrySuffix + Self.asideSuffix) {
            do throws(FileError) {
                if let (manifest, _) = try manifest(name), !manifest.supersedes.isEmpty {
                    count += manifest.files.count
                }
            } catch {
                // It was uploaded a moment ago.
                guard error.isMissing else { throw error }
            }
        }
        return count
    }

    /// Whether something does not get to the bucket that takes the place of what is to go from there.
    func lacksSuccessors() throws(FileError) -> Bool {
        for name in try Directory.names(in: path) where name.hasSuffix(Self.entrySuffix + Self.asideSuffix) {
            guard let (manifest, _) = try manifest(name), manifest.supersedes.isEmpty else { return true }
        }
        return false
    }

    /// Nil where it cannot be read as one.
    func manifest(_ name: String) throws(FileError) -> (manifest: ArchiveManifest, bytes: [UInt8])? {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileReader.contents(of: "\(path)/\(name)", limit: ArchiveDirectory.maximumManifest)
        } catch {
            guard !error.isMissing, !error.isShortage else { throw error }
            return nil
        }
        return bytes.withUnsafeBytes { ArchiveManifest($0) }.map { ($0, bytes) }
    }

    /// The bucket for which it has been written down what the archive had before; nil where there is none.
    func bucket() throws(FileError) -> String? { try lines("begun").first }

    /// Buckets that the archive had before that one, until a person takes them off the list.
    func formerBuckets() throws(FileError) -> [String] { try lines("former") }

    /// From now on it is this one.
    func begin(_ bucket: String) throws(FileError) {
        if let last = try self.bucket(), last != bucket {
            let former = try formerBuckets().filter { $0 != last } + [last]
            try Directory.replace("\(path)/former", with: Array(former.map { "\($0)\n" }.joined().utf8))
        }
        try Directory.replace("\(path)/begun", with: Array("\(bucket)\n".utf8))
    }

    private var keeps: String { "\(path)/keeps" }

    /// Whether what is in the bucket is all in ``done`` until it is removed here.
    var keepsEntries: Bool { Directory.has(keeps) }

    func setKeepsEntries(_ isKept: Bool) throws(FileError) {
        guard isKept != keepsEntries else { return }
        try isKept ? Directory.replace(keeps, with: []) : Directory.removeFile(keeps)
    }

    private func lines(_ name: String) throws(FileError) -> [String] {
        guard Directory.has("\(path)/\(name)") else { return [] }
        let bytes = try FileReader.contents(of: "\(path)/\(name)", limit: 1 << 20)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    // MARK: Ends

    /// - Parameter keeps: whether the files are to be removed here later.
    func finish(_ name: String, keeps: Bool) throws(FileError) {
        guard keeps else { return try Directory.removeFile("\(path)/\(name)") }
        try Directory.move("\(path)/\(name)", to: "\(done)/\(name)")
    }

    /// What only the bucket had is about to be here again.
    func takeBack(_ manifest: ArchiveManifest, _ bytes: [UInt8]) throws(FileError) {
        for isOld in [false, true] {
            let name = Self.name(of: manifest, bytes, isOld: isOld)
            if Directory.has("\(away)/\(name)") { try Directory.move("\(away)/\(name)", to: "\(done)/\(name)") }
        }
    }

    /// It is not tried again, and stays for a person to look at.
    func setAside(_ name: String) throws(FileError) {
        try Directory.move("\(path)/\(name)", to: "\(path)/\(name)\(Self.asideSuffix)")
    }

    /// What was set aside.
    func asideNames() throws(FileError) -> [String] {
        try Directory.names(in: path).filter { $0.hasSuffix(Self.entrySuffix + Self.asideSuffix) }
    }

    /// It is tried again.
    func takeUp(_ name: String) throws(FileError) {
        try Directory.move("\(path)/\(name)", to: "\(path)/\(name.dropLast(Self.asideSuffix.count))")
    }
}

extension ArchiveManifest {
    static let bloomSuffix = ".bloom"

    /// What stands in place of a manifest whose files are in the bucket only.
    static let uploadedSuffix = ".uploaded.json"

    /// - Parameter manifest: the name that it has where its files are there.
    static func uploadedName(of manifest: String) -> String {
        manifest.dropLast(".manifest.json".count) + uploadedSuffix
    }

    /// Where it stands, from the archive's directory on.
    var manifestPath: String {
        let first = files.first?.path ?? ""
        let name = first.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
        return "\(Directory.parent(of: first))/\(Self.name(beside: String(name)))"
    }

    /// The same, where its files are in the bucket only.
    var uploadedPath: String { Self.uploadedName(of: manifestPath) }

    /// Where the filter of its traces stands.
    var bloomPath: String { manifestPath.dropLast(".manifest.json".count) + Self.bloomSuffix }
}

/// Sees that files of the configuration have changed since they were read, once two looks have found the same: editors
/// and whoever copies a directory write in steps.
///
/// What was read and rejected is not found again, until it changes again.
struct ReloadWatch {
    private struct Seen {
        let stamp: FileStamp
        let fingerprint: Int
        /// Whether the stamp was the same at the look before. A file may change twice between two ticks of its clock.
        let isOld: Bool
    }

    /// As of the last reading.
    private var read: ConfigSources
    /// As of the last look.
    private var last = ConfigSources()
    private var seen: [String: Seen] = [:]

    /// - Parameter read: what the configuration that runs was read from.
    init(_ read: ConfigSources) {
        self.read = read
    }

    /// - Returns: The files that have changed and are left alone.
    mutating func look() -> [String] {
        let now = files()
        defer { last = now }
        return now == last ? now.changes(since: read) : []
    }

    /// Before the files are read again: what that does not come to look at is not news afterwards.
    mutating func begin() {
        read = files()
    }

    /// What it has read.
    /// - Parameter isWhole: whether it came to look at all there is.
    mutating func end(_ sources: ConfigSources, isWhole: Bool) {
        if isWhole { read = sources } else { read.add(sources) }
    }

    /// As they are now.
    private mutating func files() -> ConfigSources {
        var now = ConfigSources()
        var looked: [String: Seen] = [:]
        for path in read.paths {
            // Of what a symbolic link leads to: Kubernetes changes the link.
            guard let stamp = FileStamp(of: path) else {
                now.note(path)
                continue
            }
            let before = seen[path].flatMap { $0.stamp == stamp ? $0 : nil }
            let known = before.flatMap { $0.isOld ? $0.fingerprint : nil }
            let fingerprint = known ?? ConfigSources.digest(of: path)
            looked[path] = Seen(stamp: stamp, fingerprint: fingerprint, isOld: before != nil)
            now.note(path, fingerprint)
        }
        seen = looked
        return now
    }
}

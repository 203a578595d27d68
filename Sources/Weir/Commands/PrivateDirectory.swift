import Foundation

/// A temporary directory for what nobody else is to see. It goes when the process is asked to end, too; and what is
/// left of one that was killed goes when the next one begins.
struct PrivateDirectory {
    private static let prefix = "weir-bucket-"
    /// Whoever works in it may give it more names while it is being removed.
    private static let maxAttempts = 10

    let path: String
    /// As long as it is held the directory is in use. Nil where the file system has no locks: then it is left alone.
    private let lock: FileLock?

    init() throws {
        let parent = FileManager.default.temporaryDirectory.path
        Self.removeAbandoned(in: parent)
        let name = Self.prefix + UUID().uuidString
        // Nobody may find it before it is locked.
        let draft = "\(parent)/.\(name)"
        try Directory.create(draft)
        try Directory.setMode(ofFile: draft, to: 0o700)
        lock = try? FileLock.take(draft)
        path = "\(parent)/\(name)"
        try Directory.move(draft, to: path)
        Signals.beforeEnd { [path] in Self.remove(path) }
    }

    func remove() {
        Self.remove(path)
        withExtendedLifetime(lock) {}
    }

    private static func remove(_ path: String) {
        for _ in 1...maxAttempts where Directory.has(path) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Those of this user that no process holds.
    private static func removeAbandoned(in parent: String) {
        for name in (try? Directory.names(in: parent)) ?? [] where name.hasPrefix(prefix) {
            let path = "\(parent)/\(name)"
            guard UUID(uuidString: String(name.dropFirst(prefix.count))) != nil, isOwn(path),
                let lock = try? FileLock.take(path)
            else { continue }
            remove(path)
            withExtendedLifetime(lock) {}
        }
    }

    /// Not what somebody else's link points to.
    private static func isOwn(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.type] as? FileAttributeType == .typeDirectory
            && (attributes?[.ownerAccountID] as? NSNumber)?.uint32Value == geteuid()
    }
}

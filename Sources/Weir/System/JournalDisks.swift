import Synchronization

/// The disks of the journals of this process. A journal that is opened again is opened on the same disk: its lock is
/// never given up in between.
final class JournalDisks: Sendable {
    private let disks = Mutex<[String: JournalDirectory]>([:])

    func open(_ path: String) throws -> JournalDirectory {
        try disks.withLock { disks in
            if let disk = disks[path] { return disk }
            let disk = try JournalDirectory(path)
            disks[path] = disk
            return disk
        }
    }
}

import Glibc

/// Keeps others, in this process or another one, from the same piece of work, until the last reference is gone. It ends
/// with the process at the latest.
final class FileLock {
    private let descriptor: Int32

    private init(taking descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// - Parameter waits: until nobody else holds it, rather than giving nil.
    static func take(_ path: String, waits: Bool) throws(FileError) -> FileLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileError("open", path) }
        let lock = FileLock(taking: descriptor)
        while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK where !waits: return nil
            default: throw FileError("flock", path)
            }
        }
        return lock
    }
}

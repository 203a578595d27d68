import Glibc

/// Keeps others, in this process or another one, from the same piece of work, until the last reference is gone. The
/// kernel drops it when the process ends, however it does.
final class FileLock: Sendable {
    private let descriptor: Int32

    private init(taking descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Whether the path still leads to what is locked.
    func isHeld(at path: String) -> Bool {
        var held = stat()
        var found = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev
            && held.st_ino == found.st_ino
    }

    /// - Parameters:
    ///   - path: of a directory, or of a file, which is created where it is missing. Who removes the file lets two
    ///     hold two.
    ///   - waits: until nobody else holds it, rather than giving nil.
    static func take(_ path: String, waits: Bool = false) throws(FileError) -> FileLock? {
        var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        if descriptor < 0, errno == EISDIR { descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
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

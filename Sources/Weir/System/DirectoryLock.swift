import Glibc

/// A claim to a directory, which nobody else can make as long as this exists. The kernel drops it when the process
/// ends, however it does.
final class DirectoryLock {
    private let descriptor: Int32

    /// - Returns: nil if somebody has claimed the directory. On a file system without locks anybody may.
    init?(_ path: String) throws(FileError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}

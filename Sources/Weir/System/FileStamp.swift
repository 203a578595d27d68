import Glibc

/// By what one sees that a file was changed or replaced.
struct FileStamp: Equatable, Sendable {
    private let device: UInt
    private let node: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil where there is no such file.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        node = UInt(status.st_ino)
        size = Int(status.st_size)
        // The time of the change, which no program can set back.
        seconds = status.st_ctim.tv_sec
        nanoseconds = status.st_ctim.tv_nsec
    }

    /// Whether it is that file, which may have changed.
    func isOfSameFile(as other: FileStamp) -> Bool { device == other.device && node == other.node }

    /// Whether both are on one file system.
    func isBeside(_ other: FileStamp?) -> Bool { device == other?.device }
}

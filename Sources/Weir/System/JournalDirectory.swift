import Glibc

/// The directory of a journal on the file system, for one process at a time.
///
/// Files are read and written around the page cache where the file system allows it: writing so takes a third of the
/// CPU, and reading so never meets a page that was cached before the disk was written beneath it. Without readahead
/// 1 GB/s is read in pieces of 1 MiB; small pieces are slow.
final class JournalDirectory: JournalDisk {
    /// The strictest that file systems ask of O_DIRECT. Disks ask for 512 or 4,096.
    let blockSize = 4_096

    /// Holds the lock and is not one of ``names()``. The file stays: were it removed, two processes could hold two.
    private static let lockName = "lock"
    /// A file that is being made, and none of ``names()`` either.
    private static let draftName = "new"

    let path: String
    /// Nil for one who only looks.
    private let lock: FileLock?

    /// Creates what is missing of the directory, for the owner, readable by the group.
    init(_ path: String) throws(DiskError) {
        self.path = path
        do throws(FileError) {
            try Directory.create(path)
            lock = try FileLock.take("\(path)/\(Self.lockName)")
        } catch {
            throw DiskError(error)
        }
        guard lock != nil else { throw DiskError(description: "another process uses \(path)", isFull: false) }
    }

    /// Only looks, at a journal that a process may be using.
    init(reading path: String) {
        self.path = path
        lock = nil
    }

    func names() throws(DiskError) -> [String] {
        do {
            return try Directory.names(in: path).filter { $0 != Self.lockName && $0 != Self.draftName }
        } catch {
            throw DiskError(error)
        }
    }

    /// A file of that name is an error. What was made of one that could not be completed is removed.
    func create(_ name: String, size: Int) throws(DiskError) -> any JournalFile {
        try checkPlace()
        return try OpenJournalFile(
            creating: "\(path)/\(name)", draft: "\(path)/\(Self.draftName)", size: size, blockSize: blockSize)
    }

    func open(_ name: String, isReadOnly: Bool) throws(DiskError) -> any JournalFile {
        if !isReadOnly { try checkPlace() }
        return try OpenJournalFile(opening: "\(path)/\(name)", isReadOnly: isReadOnly, blockSize: blockSize)
    }

    func rename(_ name: String, to newName: String) throws(DiskError) {
        try checkPlace()
        let newPath = "\(path)/\(newName)"
        guard Glibc.rename("\(path)/\(name)", newPath) == 0 else { throw DiskError(FileError("rename", newPath)) }
    }

    func remove(_ name: String) throws(DiskError) {
        try checkPlace()
        guard unlink("\(path)/\(name)") == 0 else { throw DiskError(FileError("unlink", "\(path)/\(name)")) }
    }

    func sync() throws(DiskError) {
        do {
            try Directory.sync(path)
        } catch {
            throw DiskError(error)
        }
    }

    func freeBytes() throws(DiskError) -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw DiskError(FileError("statvfs", path)) }
        let (bytes, isTooMany) = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return isTooMany ? .max : bytes
    }

    /// Nothing is changed in a directory that has taken the place of the one that is locked, such as a copy on another
    /// disk: another process may have that one, and it knows less than this one.
    private func checkPlace() throws(DiskError) {
        guard let lock, !lock.isHeld(at: "\(path)/\(Self.lockName)") else { return }
        throw DiskError(
            description: "\(path) was removed or replaced while it was open, wanted a restart", isFull: false)
    }

    func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32 {
        Checksum.crc32c(bytes, after: checksum)
    }
}

extension DiskError {
    /// What Linux says of a sector that cannot be read, and file systems of blocks whose checksum is wrong.
    private static let unreadable = [EIO, ENODATA, EILSEQ, EBADMSG, EUCLEAN]

    init(_ error: FileError) {
        self.init(
            description: error.description, isFull: error.code == ENOSPC || error.code == EDQUOT,
            isUnreadable: error.call == "read" && Self.unreadable.contains(error.code), isMissing: error.isMissing)
    }
}

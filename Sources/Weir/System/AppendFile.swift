import Glibc

/// A file that is written at its end, by one owner.
final class AppendFile {
    private(set) var path: String
    /// Bytes of all complete appends. After an append that failed the file may hold a part of it behind them, until it
    /// is truncated to this length.
    private(set) var length = 0
    /// -1 when closed.
    private var descriptor: Int32

    /// Creates the file, readable by owner and group. A file of that name is an error.
    init(creating path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    /// Goes on with a file, or creates it as above where there is none.
    init(extending path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileError("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = FileError("fstat", path)
            _ = Glibc.close(descriptor)
            descriptor = -1
            throw error
        }
        length = status.st_size
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Returns when the operating system has all the bytes, which outlives the process but not a power cut.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", path, code: written < 0 ? errno : ENOSPC) }
            rest = rest.dropFirst(written)
        }
        length += bytes.count
    }

    /// Cuts off what stands behind the first `length` bytes. A closed file is synced as well.
    func truncate(to length: Int) throws(FileError) {
        precondition(length <= self.length, "a file of \(self.length) bytes is truncated to \(length)")
        guard descriptor < 0 else {
            guard ftruncate(descriptor, length) == 0 else { throw FileError("ftruncate", path) }
            self.length = length
            return
        }
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        try truncate(to: length)
        try sync()
        try close()
    }

    /// Returns when the bytes are where a power cut leaves them. After an error nobody knows which are: the kernel
    /// tells it once and then takes the pages for written.
    func sync() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("fsync", path) }
    }

    func close() throws(FileError) {
        guard descriptor >= 0 else { return }
        let closing = descriptor
        // The descriptor is gone even where close() reports an error.
        descriptor = -1
        guard Glibc.close(closing) == 0 else { throw FileError("close", path) }
    }

    /// Gives the file another name on the same file system, which no other file may have.
    ///
    /// A link and an unlink: rename(2) would overwrite. Where the process dies in between, the file has both names.
    func rename(to newPath: String) throws(FileError) {
        if link(path, newPath) == 0 {
            _ = unlink(path)
        } else {
            let code = errno
            // link(2): "EPERM: the filesystem does not support the creation of hard links". Then a look has to do.
            guard code == EPERM || code == EOPNOTSUPP || code == ENOSYS, !Directory.has(newPath) else {
                throw FileError("link", newPath, code: code)
            }
            guard Glibc.rename(path, newPath) == 0 else { throw FileError("rename", newPath) }
        }
        path = newPath
    }

    func remove() throws(FileError) {
        guard unlink(path) == 0 else { throw FileError("unlink", path) }
    }
}

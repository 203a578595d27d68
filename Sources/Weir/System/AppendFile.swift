import CLibraries
import Glibc

/// A file that is written at its end, by one owner.
final class AppendFile {
    /// An end of what was appended, and what stands in front of it.
    struct End: Equatable {
        /// Bytes.
        fileprivate(set) var length = 0
        /// CRC-32 (RFC 1952, section 8) of all of them that were appended since the file was opened.
        fileprivate(set) var checksum: UInt32 = 0
    }

    private(set) var path: String
    /// That of all complete appends.
    private(set) var end = End()
    /// Whether an append failed, so that a part of it may stand behind the end.
    private var isTorn = false
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
        end.length = status.st_size
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Does nothing where the file is open.
    func reopen() throws(FileError) {
        guard descriptor < 0 else { return }
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    /// Returns when the operating system has all the bytes, which outlives the process but not a power cut. After an
    /// error the file must be truncated before the next append.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        precondition(!isTorn, "an append behind one that failed")
        guard !bytes.isEmpty else { return }
        isTorn = true
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", path, code: written < 0 ? errno : ENOSPC) }
            rest = rest.dropFirst(written)
        }
        isTorn = false
        end.length += bytes.count
        end.checksum = libdeflate_crc32(end.checksum, bytes.baseAddress, bytes.count)
    }

    /// Cuts off what stands behind an end that the file had before, if anything does.
    func truncate(to end: End) throws(FileError) {
        precondition(end.length <= self.end.length, "a file of \(self.end.length) bytes is truncated to \(end.length)")
        guard isTorn || end != self.end else { return }
        guard ftruncate(descriptor, end.length) == 0 else { throw FileError("ftruncate", path) }
        self.end = end
        isTorn = false
    }

    /// Cuts off what stood behind the first bytes when the file was opened.
    func cut(to length: Int) throws(FileError) {
        guard ftruncate(descriptor, length) == 0 else { throw FileError("ftruncate", path) }
        end.length = length
    }

    /// Appends to `other`, which is empty, what was appended to this file. An error that names this file's path says
    /// that its bytes cannot be had any more.
    func copy(to other: AppendFile) throws(FileError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileError("open", path) }
        defer { _ = Glibc.close(source) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while other.end.length < end.length {
            let count = read(source, room.baseAddress, min(room.count, end.length - other.end.length))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("read", path, code: count < 0 ? errno : EIO) }
            try other.append(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
        guard other.end == end else { throw FileError("read", path, code: EIO) }
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
}

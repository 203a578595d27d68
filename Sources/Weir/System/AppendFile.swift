import CLibraries
import Glibc

/// A file that is written at its end, by one owner.
final class AppendFile {
    /// An end of what was appended, and what stands in front of it.
    struct End: Equatable {
        /// Bytes that were appended.
        fileprivate(set) var length = 0
        /// Bytes of the file; of one that is sealed they are others.
        fileprivate(set) var size = 0
        /// CRC-32 (RFC 1952, section 8) of all of these that were appended since the file was opened.
        fileprivate(set) var checksum: UInt32 = 0
        /// Of a sealed file: how many chunks stand in it, whether the last one does, and what is to be in the next.
        fileprivate var chunks = 0
        fileprivate var isComplete = false
        fileprivate var pending: [UInt8] = []
    }

    private(set) var path: String
    /// That of all complete appends.
    private(set) var end = End()
    /// Whether an append failed, so that a part of it may stand behind the end.
    private var isTorn = false
    /// Nil where what is appended is written as it is.
    private var seal: FileSeal?
    /// -1 when closed.
    private var descriptor: Int32

    /// Creates the file, readable by owner and group. A file of that name is an error.
    /// - Parameter seal: of this file and no other.
    init(creating path: String, _ seal: FileSeal? = nil) throws(FileError) {
        self.path = path
        self.seal = seal
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
        end.size = end.length
    }

    /// Of the data key that the file is sealed with; nil where it is not.
    var keyID: UInt64? { seal?.keyID }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Does nothing where the file is open.
    func reopen() throws(FileError) {
        guard descriptor < 0 else { return }
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    /// Returns when the operating system has all the bytes, which outlives the process but not a power cut; of a sealed
    /// file, those that fill a chunk. After an error the file must be truncated before the next append.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        precondition(!isTorn && !end.isComplete, "an append behind one that failed, or behind the last")
        guard seal != nil else {
            try write(bytes)
            end.length += bytes.count
            return
        }
        var rest = bytes
        while !rest.isEmpty {
            // One that is full may still be the last.
            if end.pending.count == FileSeal.chunkSize { try writeChunk(isLast: false) }
            let count = min(rest.count, FileSeal.chunkSize - end.pending.count)
            end.pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            end.length += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Nothing follows any more. Of a sealed file the last chunk is written; only then it can be read.
    func complete() throws(FileError) {
        guard seal != nil, !end.isComplete else { return }
        try writeChunk(isLast: true)
        end.isComplete = true
    }

    private func writeChunk(isLast: Bool) throws(FileError) {
        guard let seal else { return }
        guard let sealed = seal.seal(end.pending, at: end.chunks, isLast: isLast) else {
            isTorn = true
            throw .noMemory(path)
        }
        let bytes = end.chunks == 0 ? seal.header + sealed : sealed
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try write(bytes) } }
        try result.get()
        end.chunks += 1
        end.pending = []
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        guard !bytes.isEmpty else { return }
        isTorn = true
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", path, code: written < 0 ? errno : ENOSPC) }
            rest = rest.dropFirst(written)
        }
        isTorn = false
        end.size += bytes.count
        end.checksum = libdeflate_crc32(end.checksum, bytes.baseAddress, bytes.count)
    }

    /// Cuts off what stands behind an end that the file had before, if anything does.
    func truncate(to end: End) throws(FileError) {
        precondition(end.length <= self.end.length, "a file of \(self.end.length) bytes is truncated to \(end.length)")
        guard isTorn || end != self.end else { return }
        guard ftruncate(descriptor, end.size) == 0 else { throw FileError("ftruncate", path) }
        self.end = end
        isTorn = false
    }

    /// Cuts off what stood behind the first bytes when the file was opened.
    func cut(to length: Int) throws(FileError) {
        guard ftruncate(descriptor, length) == 0 else { throw FileError("ftruncate", path) }
        (end.length, end.size) = (length, length)
    }

    /// Appends to `other`, which is empty, what was appended to this file, and goes on there with what it is sealed
    /// with. An error that names this file's path says that its bytes cannot be had any more.
    func copy(to other: AppendFile) throws(FileError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw FileError("open", path) }
        defer { _ = Glibc.close(source) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while other.end.size < end.size {
            let count = read(source, room.baseAddress, min(room.count, end.size - other.end.size))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("read", path, code: count < 0 ? errno : EIO) }
            try other.write(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
        guard other.end.checksum == end.checksum else { throw FileError("read", path, code: EIO) }
        (other.end, other.seal) = (end, seal)
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

import CLibraries
import Glibc

/// A file of a ``JournalDirectory``.
final class OpenJournalFile: JournalFile {
    let size: Int

    private let path: String
    private let blockSize: Int
    private let descriptor: Int32
    /// Some file systems say of every file that it has no name.
    private let countsNames: Bool

    /// Takes the room on the disk, so that no later write finds it full. The blocks read as zeros.
    /// - Parameter draft: what the file is called until it has its room: whoever finds `path` may write to all of it,
    ///   whenever this process dies. One that is left over is used again.
    init(creating path: String, draft: String, size: Int, blockSize: Int) throws(DiskError) {
        guard access(path, F_OK) != 0 else { throw DiskError(FileError("open", path, code: EEXIST)) }
        descriptor = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw DiskError(FileError("open", draft)) }
        self.path = path
        self.size = size
        self.blockSize = blockSize
        countsNames = Self.hasName(descriptor)
        var code: Int32
        // Where the file system cannot do it, glibc writes a byte into every block, which asks for the page cache.
        repeat { code = posix_fallocate(descriptor, 0, size) } while code == EINTR
        guard code == 0 else {
            _ = unlink(draft)
            throw DiskError(FileError("fallocate", path, code: code))
        }
        guard rename(draft, path) == 0 else { throw DiskError(FileError("rename", path)) }
        setDirect(true)
    }

    init(opening path: String, isReadOnly: Bool, blockSize: Int) throws(DiskError) {
        descriptor = open(path, (isReadOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(FileError("open", path)) }
        self.path = path
        self.blockSize = blockSize
        countsNames = Self.hasName(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            size = 0
            throw DiskError(FileError("fstat", path))
        }
        size = status.st_size
        setDirect(true)
    }

    deinit {
        _ = close(descriptor)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        checkAlignment(UnsafeRawBufferPointer(buffer), offset)
        let wanted = min(buffer.count, max(0, size - offset))
        var count = 0
        while count < wanted {
            // The whole of the rest, also beyond the file's end: a file may end inside a block, a direct read must not.
            let result = pread(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count, offset + count)
            if result < 0 {
                try pass("read", code: errno)
            } else if result == 0 {
                break
            } else {
                count += result
            }
        }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        checkAlignment(bytes, offset)
        precondition(offset + bytes.count <= size, "a write beyond the room that was taken")
        var count = 0
        while count < bytes.count {
            let result = pwrite(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count, offset + count)
            if result > 0 {
                count += result
            } else {
                try pass("write", code: result < 0 ? errno : ENOSPC)
            }
        }
        try checkName()
    }

    func sync() throws(DiskError) {
        guard fdatasync(descriptor) == 0 else { throw DiskError(FileError("fdatasync", path)) }
        try checkName()
    }

    /// A file that somebody has removed, or moved to another file system, takes everything, and goes with this process.
    /// To ask costs less than a thousandth of a sync.
    private func checkName() throws(DiskError) {
        guard countsNames, !Self.hasName(descriptor) else { return }
        // What it is called now this does not know: a segment was the spare when it was opened.
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        throw DiskError(
            description: "a file of \(directory) was removed while it was open", isFull: false, isMissing: true)
    }

    private static func hasName(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) != 0 || status.st_nlink > 0
    }

    private func checkAlignment(_ bytes: UnsafeRawBufferPointer, _ offset: Int) {
        let all = Int(bitPattern: bytes.baseAddress) | bytes.count | offset
        precondition(all & (blockSize - 1) == 0, "an address, a count or an offset is not a multiple of \(blockSize)")
    }

    /// Returns where another try may do: some file systems let O_DIRECT be set and refuse the first read or write.
    private func pass(_ call: String, code: Int32) throws(DiskError) {
        guard code == EINTR || code == EINVAL && setDirect(false) else {
            throw DiskError(FileError(call, path, code: code))
        }
    }

    /// - Returns: whether that changed something.
    @discardableResult
    private func setDirect(_ isDirect: Bool) -> Bool {
        let flags = fcntl(descriptor, F_GETFL)
        let wanted = isDirect ? flags | weir_o_direct : flags & ~weir_o_direct
        return flags != wanted && fcntl(descriptor, F_SETFL, wanted) == 0
    }
}

import Glibc

/// Reads a file from its beginning on, in pieces.
struct FileReader: ~Copyable {
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    deinit {
        close(descriptor)
    }

    /// The next bytes, as many as there are; none at the end.
    mutating func next(upTo count: Int) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                let read = Glibc.read(descriptor, room.baseAddress.map { $0 + filled }, count - filled)
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = FileError("read", path) }
                guard read > 0 else { return }
                filled += read
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The next bytes, exactly so many; nil at the end. A file that ends before is an error.
    mutating func next(_ count: Int) throws(FileError) -> [UInt8]? {
        let bytes = try next(upTo: count)
        guard bytes.count < count else { return bytes }
        guard bytes.isEmpty else { throw FileError("read", path, code: EIO) }
        return nil
    }

    /// Some bytes of a file, exactly those.
    static func piece(of path: String, _ range: Range<Int>) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        guard lseek(reader.descriptor, range.lowerBound, SEEK_SET) == range.lowerBound else {
            throw FileError("lseek", path)
        }
        let bytes = try reader.next(upTo: range.count)
        guard bytes.count == range.count else { throw FileError.damaged(path) }
        return bytes
    }

    /// All that a file holds, if it is not more than so many bytes.
    static func contents(of path: String, limit: Int) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        let bytes = try reader.next(upTo: limit + 1)
        guard bytes.count <= limit else { throw FileError("read", path, code: EFBIG) }
        return bytes
    }
}

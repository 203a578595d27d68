import Glibc

/// Reads a file from its beginning on, in pieces.
struct FileReader: ~Copyable {
    let path: String
    private let descriptor: Int32
    /// Nil where the bytes are read as they stand in the file.
    private let sealed: SealedFile?
    /// Where in a sealed file the next bytes are.
    private var position = 0

    /// - Parameter path: whose bytes are read as they are, sealed or not.
    init(_ path: String) throws(FileError) {
        self.path = path
        sealed = nil
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    /// The same in clear, also where it is sealed.
    init(_ path: String, opening keys: (any FileKeys)?) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        do throws(FileError) {
            sealed = try SealedFile(descriptor, path, keys)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    deinit {
        close(descriptor)
    }

    /// The next bytes, as many as there are; none at the end.
    mutating func next(upTo count: Int) throws(FileError) -> [UInt8] {
        if let sealed {
            let start = position
            position += min(count, sealed.length - start)
            return try sealed.bytes(start..<position)
        }
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

    /// All bytes that there are to read.
    var length: Int {
        get throws(FileError) { if let sealed { sealed.length } else { try Directory.size(ofFile: path) } }
    }

    /// Some bytes, exactly those; then come those behind them.
    mutating func piece(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        position = range.lowerBound
        guard lseek(descriptor, range.lowerBound, SEEK_SET) == range.lowerBound else {
            throw FileError("lseek", path)
        }
        guard position <= (sealed?.length ?? position) else { throw .damaged(path) }
        let bytes = try next(upTo: range.count)
        guard bytes.count == range.count else { throw FileError.damaged(path) }
        return bytes
    }

    /// Some bytes of a file as they stand in it.
    static func piece(of path: String, _ range: Range<Int>) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        return try reader.piece(range)
    }

    /// All that a file holds, if it is not more than so many bytes.
    static func contents(of path: String, limit: Int) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        let bytes = try reader.next(upTo: limit + 1)
        guard bytes.count <= limit else { throw FileError("read", path, code: EFBIG) }
        return bytes
    }
}

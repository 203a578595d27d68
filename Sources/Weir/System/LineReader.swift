import Glibc

/// Reads a file line by line. Memory is bounded by its longest line, or by how long one may be.
struct LineReader: ~Copyable {
    private static let chunk = 256 << 10

    private let path: String
    private let descriptor: Int32
    private let maximum: Int
    private var buffer: [UInt8] = []
    /// Where in `buffer` the next line begins.
    private var start = 0
    /// Where in the file the next line begins.
    private(set) var offset: Int

    /// - Parameters:
    ///   - offset: where a line begins.
    ///   - maximum: bytes of a line. A file with a longer one cannot be read.
    init(_ path: String, from offset: Int, atMost maximum: Int = .max) throws(FileError) {
        self.path = path
        self.offset = offset
        self.maximum = maximum
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    deinit {
        close(descriptor)
    }

    /// Calls `body` with the next line, its line feed among its bytes. `offset` is then behind it.
    /// - Returns: nil at the end of the file, and where a line does not end.
    mutating func next<Value>(_ body: (UnsafeRawBufferPointer) -> Value) throws(FileError) -> Value? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = start...end
                start = end + 1
                offset += line.count
                return buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[line])) }
            }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            guard buffer.count <= maximum else { throw FileError("read", path, code: EFBIG) }
            guard try fill() else { return nil }
        }
    }

    private mutating func fill() throws(FileError) -> Bool {
        let position = offset + buffer.count
        var read = 0
        let more = [UInt8](unsafeUninitializedCapacity: max(Self.chunk, buffer.count)) { room, count in
            repeat { read = pread(descriptor, room.baseAddress, room.count, position) } while read < 0 && errno == EINTR
            count = max(0, read)
        }
        guard read >= 0 else { throw FileError("read", path) }
        buffer += more
        return read > 0
    }
}

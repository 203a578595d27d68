import Glibc

enum StandardOutput {
    static func write(_ text: String) throws(FileError) {
        try write(Array(text.utf8))
    }

    /// Returns when all bytes are written, which takes as long as whoever reads them.
    static func write(_ bytes: [UInt8]) throws(FileError) {
        var position = 0
        while position < bytes.count {
            let written = bytes.withUnsafeBytes { bytes in
                Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + position }, bytes.count - position)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", "standard output") }
            position += written
        }
    }
}

import Glibc

enum StandardError {
    /// Says a line beside the output, which stays what it is.
    static func note(_ text: String) {
        write(Array("\(text)\n".utf8))
    }

    /// Writes as much as whoever reads it takes, and gives the rest up: what is said beside the work never ends it.
    static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }
}

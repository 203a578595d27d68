import Glibc

/// The operating system refused something with a file or directory.
struct FileError: Error, Equatable, CustomStringConvertible {
    /// The system call, such as `write`.
    let call: String
    let path: String
    /// `errno`.
    let code: Int32

    init(_ call: String, _ path: String, code: Int32 = errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    /// `write data/archive/.open/x: no space left on device`
    var description: String { "\(call) \(path): \(String(cString: strerror(code)).lowercased())" }

    /// A file that is not what was written to it.
    static func damaged(_ path: String) -> FileError { FileError("read", path, code: EIO) }

    /// A library has no memory for what goes to a file.
    static func noMemory(_ path: String) -> FileError { FileError("write", path, code: ENOMEM) }

    /// Something has that name already.
    var isTaken: Bool { code == EEXIST }
    /// Nothing has that name.
    var isMissing: Bool { code == ENOENT }
}

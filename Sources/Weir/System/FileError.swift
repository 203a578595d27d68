import Glibc

/// The operating system refused something with a file or directory.
struct FileError: Error, Equatable, CustomStringConvertible {
    /// The system call, such as `write`.
    let call: String
    let path: String
    /// `errno`.
    let code: Int32
    /// What is wrong, where `code` does not say it.
    private let detail: String?
    /// Why a sealed file cannot be read, where that is it.
    let unreadable: Unreadable?

    init(
        _ call: String, _ path: String, code: Int32 = errno, detail: String? = nil, unreadable: Unreadable? = nil
    ) {
        self.call = call
        self.path = path
        self.code = code
        self.detail = detail
        self.unreadable = unreadable
    }

    /// `write data/archive/.open/x: no space left on device`
    var description: String { "\(call) \(path): \(detail ?? String(cString: strerror(code)).lowercased())" }

    /// A file that is not what was written to it.
    /// - Parameter detail: how that is seen.
    static func damaged(_ path: String, _ detail: String = "is damaged") -> FileError {
        FileError("read", path, code: EIO, detail: detail)
    }

    /// A library has no memory for what goes to a file.
    static func noMemory(_ path: String) -> FileError { FileError("write", path, code: ENOMEM) }

    /// A sealed file that does not open.
    /// - Parameter key: the id of its data key.
    static func unreadable(_ path: String, _ reason: Unreadable, key: UInt64? = nil) -> FileError {
        let detail = (key.map { "sealed with data key \($0.digits(16, radix: 16)): " } ?? "sealed: ") + reason.rawValue
        return FileError(
            "open", path, code: reason == .notAuthentic ? EIO : ENOKEY, detail: detail, unreadable: reason)
    }

    /// There is no key to seal a file with.
    static func unsealable(_ path: String, _ error: KeyError) -> FileError {
        FileError("seal", path, code: ENOKEY, detail: "\(error)")
    }

    /// It is not what was written.
    var isDamage: Bool { code == EIO }
    /// Something has that name already.
    var isTaken: Bool { code == EEXIST }
    /// Nothing has that name.
    var isMissing: Bool { code == ENOENT }
    /// The process, or the system, has no memory or no open files left.
    var isShortage: Bool { [ENOMEM, EMFILE, ENFILE].contains(code) }
}

import Glibc

/// What is done with directories.
enum Directory {
    /// Creates the directory and those above it, as far as they are missing: for the owner, readable by the group. Each
    /// new one is there after a power cut.
    static func create(_ path: String) throws(FileError) {
        if mkdir(path, 0o750) == 0 { return try sync(parent(of: path)) }
        switch errno {
        case EEXIST:
            guard isDirectory(path) else { throw FileError("mkdir", path, code: ENOTDIR) }
        case ENOENT where parent(of: path) != path:
            try create(parent(of: path))
            guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw FileError("mkdir", path) }
            try sync(parent(of: path))
        default: throw FileError("mkdir", path)
        }
    }

    /// Returns when the names in the directory are where a power cut leaves them.
    static func sync(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        let result = fsync(descriptor)
        let code = errno
        close(descriptor)
        // Some file systems cannot sync a directory and say EINVAL; there is then nothing to wait for.
        guard result == 0 || code == EINVAL else { throw FileError("fsync", path, code: code) }
    }

    /// The names in the directory, unsorted, without `.` and `..`.
    static func names(in path: String) throws(FileError) -> [String] {
        var names: [String] = []
        try visit(path) { names.append($0) }
        return names
    }

    /// Calls `body` with each name in the directory, unsorted, without `.` and `..`: one after the other, for a
    /// directory of which nobody knows how large it is. After an error some were missed.
    static func visit(_ path: String, _ body: (String) -> Void) throws(FileError) {
        guard let stream = opendir(path) else { throw FileError("opendir", path) }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                // Nil is the end as well as an error.
                guard errno == 0 else { throw FileError("readdir", path) }
                return
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { body(name) }
        }
    }

    /// Removes the directory if it is empty.
    static func remove(_ path: String) throws(FileError) {
        guard rmdir(path) == 0 else { throw FileError("rmdir", path) }
    }

    /// Removes the file; other names that it has stay.
    static func removeFile(_ path: String) throws(FileError) {
        guard unlink(path) == 0 else { throw FileError("unlink", path) }
    }

    /// Gives the file this content. After a crash it has this or the one before.
    static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let draft = path + ".new"
        _ = unlink(draft)
        let file = try AppendFile(creating: draft)
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
        try file.sync()
        try file.close()
        try move(draft, to: path)
        try sync(parent(of: path))
    }

    /// Gives the file another name, and takes it from the file that has it.
    static func move(_ path: String, to name: String) throws(FileError) {
        guard rename(path, name) == 0 else { throw FileError("rename", name) }
    }

    /// Gives the file a second name, which no other file may have.
    static func link(_ path: String, as name: String) throws(FileError) {
        guard Glibc.link(path, name) == 0 else { throw FileError("link", name) }
    }

    /// Bytes.
    static func size(ofFile path: String) throws(FileError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("stat", path) }
        return Int(status.st_size)
    }

    /// When the file got its content.
    static func modified(_ path: String) throws(FileError) -> Timestamp {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("stat", path) }
        let time = status.st_mtim
        return Timestamp(nanoseconds: UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// - Parameter mode: such as `0o640`.
    static func setMode(ofFile path: String, to mode: UInt32) throws(FileError) {
        guard chmod(path, mode) == 0 else { throw FileError("chmod", path) }
    }

    /// Makes an empty file that only its owner may read. A file of that name is an error.
    static func createPrivateFile(_ path: String) throws(FileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError("open", path) }
        close(descriptor)
    }

    /// Whether something, of any kind, has this name.
    static func has(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The same, for who must not take what cannot be looked into for what is not there.
    static func isThere(_ path: String) throws(FileError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw FileError("access", path) }
        return false
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func parent(of path: String) -> String {
        let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }
}

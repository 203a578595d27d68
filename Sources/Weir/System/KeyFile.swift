import Glibc

/// A secret that is drawn once and kept in a file that only its owner may read.
enum KeyFile {
    /// Reads the file, or makes it.
    /// - Parameter size: of the secret, in bytes.
    static func read(_ path: String, size: Int) throws(FileError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: size + 1)
        var descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT {
            try create(path, size: size)
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        let count = Glibc.read(descriptor, &key, key.count)
        guard count >= 0 else { throw FileError("read", path) }
        // Half a secret is none, and a new one would not be the same.
        guard count == size else {
            let found = count > size ? "more than \(size)" : "\(count)"
            throw FileError(
                "read", path, code: EINVAL, detail: "found \(found) bytes, wanted \(size): bring back the file")
        }
        key.removeLast()
        return key
    }

    /// Under another name first, so that a crash leaves no part of it. Where several processes want it, one makes it.
    private static func create(_ path: String, size: Int) throws(FileError) {
        let directory = Directory.parent(of: path)
        let lock = try FileLock.take("\(directory)/.", waits: true)
        defer { withExtendedLifetime(lock) {} }
        if Directory.has(path) { return }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let draft = path + ".new"
        _ = unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError("open", draft) }
        defer { close(descriptor) }
        guard write(descriptor, key, size) == size, fsync(descriptor) == 0 else { throw FileError("write", draft) }
        try Directory.move(draft, to: path)
        // What is made with it must not outlive it.
        try Directory.sync(directory)
    }
}

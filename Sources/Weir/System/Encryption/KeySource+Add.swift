import Glibc

extension KeySource {
    /// Draws a key and writes it in front of those of the file.
    /// - Returns: its id.
    func add() throws(KeyError) -> String {
        guard case .file(let path) = self else {
            throw .noKeyEncryptionKey(
                "the keys stand in no file: who sets the variable, or wrote the command, has to add one")
        }
        CoreDumps.forbid()
        let directory = Directory.parent(of: path)
        let lock: FileLock?
        do {
            // Of two who read it before one of them has written, the second would take the first one's key away.
            lock = try FileLock.take("\(directory)/.", waits: true)
        } catch {
            throw .unavailable("\(error)")
        }
        defer { withExtendedLifetime(lock) {} }
        var known = ""
        var owner = stat()
        let isThere = stat(path, &owner) == 0
        if Directory.has(path) {
            // It has to be one of keys before anything is written into it.
            _ = try read()
            known = try text()
        }
        guard let secret = SecretKey.random(), let start = secret.bytes else { throw .openSSL }
        let line = Base64URL.encode(Array(UnsafeBufferPointer(start: start, count: SecretKey.size)))
        let text = "\(line)\n\(known)"
        // Nothing takes the file's place that could not be read then.
        _ = try KeyEncryptionKeys(parsing: text)
        guard text.utf8.count <= Self.maxFileBytes else {
            throw .noKeyEncryptionKey("\(path): has no room for another key in \(Self.maxFileBytes) bytes")
        }
        let draft = path + ".new"
        do {
            _ = unlink(draft)
            try Directory.createPrivateFile(draft)
            let file = try AppendFile(extending: draft)
            try Array(text.utf8).withUnsafeBytes { try file.append($0) }
            try file.sync()
            try file.close()
            // Root may add a key for a Weir that runs as somebody else, who has to go on reading the file.
            if isThere, owner.st_uid != geteuid() {
                guard chown(draft, owner.st_uid, owner.st_gid) == 0 else { throw FileError("chown", draft) }
            }
            guard rename(draft, path) == 0 else { throw FileError("rename", path) }
            try Directory.sync(directory)
        } catch {
            throw .unavailable("\(error)")
        }
        return KeyEncryptionKeys.Key(secret).id
    }

    private func text() throws(KeyError) -> String {
        guard case .file(let path) = self else { return "" }
        return try Self.text(of: path)
    }
}

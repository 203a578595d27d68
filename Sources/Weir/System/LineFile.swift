import Glibc

/// A file of lines that grows at its end. A line that is in it survives a power cut, and one that a crash left
/// unfinished is cut off before the next is written.
struct LineFile {
    let path: String
    let directory: String

    init(_ name: String, in directory: String) {
        path = "\(directory)/\(name)"
        self.directory = directory
    }

    /// Returns when the lines are where a power cut leaves them. After an error the file is as long as before, or ends
    /// with a line that is not finished.
    ///
    /// - Parameters:
    ///   - lines: each with its line feed.
    ///   - isAllowed: whether the file may be so long.
    /// - Returns: how long the file is; nil where that is not allowed.
    @discardableResult
    func append(_ lines: [UInt8], where isAllowed: (Int) -> Bool = { _ in true }) throws(FileError) -> Int? {
        let isNew = !Directory.has(path)
        let file = try AppendFile(extending: path)
        if file.end.length > 0 { try cutUnfinishedLine(file) }
        guard isAllowed(file.end.length + lines.count) else { return nil }
        let before = file.end
        do throws(FileError) {
            try lines.withUnsafeBytes { bytes in
                Result { () throws(FileError) in try file.append(bytes) }
            }.get()
            try file.sync()
            if isNew { try Directory.sync(directory) }
            try file.close()
        } catch {
            // Also where the lines are complete, since nobody knows whether they are on the disk.
            try? file.truncate(to: before)
            throw error
        }
        return file.end.length
    }

    /// Cuts off what stands behind the last line feed.
    /// - Returns: how long the file is then; 0 if there is none.
    func repair() throws(FileError) -> Int {
        guard Directory.has(path) else { return 0 }
        let file = try AppendFile(extending: path)
        if file.end.length > 0 { try cutUnfinishedLine(file) }
        return file.end.length
    }

    /// A power cut can bring it back until the directory is synced.
    func remove() throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError("unlink", path) }
    }

    private func cutUnfinishedLine(_ file: AppendFile) throws(FileError) {
        let end = try lastLineEnd(file.end.length)
        guard end < file.end.length else { return }
        try file.cut(to: end)
        try file.sync()
    }

    /// How much of the file, which is so long, are whole lines.
    private func lastLineEnd(_ length: Int) throws(FileError) -> Int {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        var end = length
        // In most cases the last byte is all that has to be looked at.
        var chunk = [UInt8](repeating: 0, count: 1)
        while end > 0 {
            let start = max(0, end - chunk.count)
            let count = chunk.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, end - start, start) }
            guard count == end - start else { throw FileError("read", path, code: count < 0 ? errno : EIO) }
            if let index = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) { return start + index + 1 }
            end = start
            chunk = [UInt8](repeating: 0, count: 64 << 10)
        }
        return 0
    }
}

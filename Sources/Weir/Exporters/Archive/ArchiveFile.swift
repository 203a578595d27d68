/// A file of the archive on its way to its readers.
final class ArchiveFile {
    enum Stage {
        /// Takes appends, or waits to be sealed.
        case written
        /// A sync failed, so nobody knows what of it a power cut would leave.
        case suspect
        /// Whole, synced and closed.
        case sealed
        /// Readers see it; a power cut may still take its name.
        case published
    }

    /// What it holds, and up to where.
    struct Content {
        var spans: ArchivedSpans?
        var end = AppendFile.End()
    }

    let partition: ArchivePartition
    let begun: Timestamp
    /// Without the footer, and without what an append that failed has left.
    private(set) var content = Content()
    private(set) var stage = Stage.written
    private var file: AppendFile

    init(_ partition: ArchivePartition, begun: Timestamp, in file: AppendFile) {
        self.partition = partition
        self.begun = begun
        self.file = file
    }

    var path: String { file.path }

    func append(_ bytes: UnsafeRawBufferPointer, _ spans: ArchivedSpans) throws(FileError) {
        try file.append(bytes)
        content.spans?.append(spans)
        content = Content(spans: content.spans ?? spans, end: file.end)
    }

    /// The file holds what it held before; what stands behind that is cut off when it is sealed.
    func takeBack(to content: Content) {
        self.content = content
        if stage == .sealed { stage = .written }
    }

    /// Cuts off what stands behind the content, so that more may be appended.
    func truncate() throws(FileError) {
        try file.truncate(to: content.end)
    }

    /// Completes the file. After an error it may be tried again.
    func seal(with footer: [UInt8]) throws(FileError) {
        try file.reopen()
        try file.truncate(to: content.end)
        try append(footer)
        do {
            try file.sync()
        } catch {
            stage = .suspect
            throw error
        }
        stage = .sealed
        try file.close()
    }

    /// Goes on in another file, with the same content.
    func move(to other: AppendFile) throws(FileError) {
        try file.copy(to: other)
        let old = path
        file = other
        stage = .written
        // Its records are in the other one now; it is not looked at again, whether it is there or not.
        try? Directory.removeFile(old)
    }

    func publish(as path: String) throws(FileError) {
        try file.rename(to: path)
        stage = .published
    }

    private func append(_ footer: [UInt8]) throws(FileError) {
        let result = footer.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
    }
}

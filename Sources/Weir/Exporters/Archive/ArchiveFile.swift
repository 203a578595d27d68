/// A file of the archive on its way to its readers.
final class ArchiveFile {
    enum Stage {
        /// Takes appends, or waits to be sealed.
        case written
        /// A sync failed, so nobody knows what of it a power cut would leave.
        case suspect
        /// Whole, synced and closed.
        case sealed
        /// Readers see it, or its first part; a power cut may still take its name.
        case published
    }

    /// What it holds, and up to where.
    struct Content {
        var spans: ArchivedSpans?
        /// Of values in them.
        var keys = ArchivedKeyIDs()
        var end = AppendFile.End()
        /// Appends, each of which is a frame.
        var frames = 0
    }

    let partition: ArchivePartition
    let begun: Timestamp
    /// What it is sealed with; nil where it is not.
    let key: DataKey?
    /// Without the footer, and without what an append that failed has left.
    private(set) var content = Content()
    private(set) var table = SeekTable()
    /// Of the spans that it holds, and of those that may still be taken back.
    private(set) var traces = ArchiveTraces()
    private var newTraces = ArchiveTraces()
    private(set) var stage = Stage.written
    /// What readers will see, once it is sealed: what was appended to, or what came of that.
    private(set) var products: [ArchiveProduct] = []
    /// Says all that, once it is published in part.
    private(set) var manifest: AppendFile?
    /// What its files are called until they are published, without what they end in.
    private(set) var stem: String
    private var file: AppendFile

    init(
        _ partition: ArchivePartition, begun: Timestamp, stem: String, in file: AppendFile, _ key: DataKey? = nil
    ) {
        self.key = key
        self.partition = partition
        self.begun = begun
        self.stem = stem
        self.file = file
    }

    /// Of what nobody has a second copy of.
    var path: String { stage == .published ? products.first?.file.path ?? file.path : file.path }
    /// Of what was appended to, where readers get something else.
    var spool: String? { products.isEmpty || products.contains { $0.file === file } ? nil : file.path }

    /// - Parameter length: of what `bytes` are when they are decompressed.
    func append(
        _ bytes: UnsafeRawBufferPointer, of length: Int, _ spans: ArchivedSpans, _ keys: ArchivedKeyIDs
    ) throws(FileError) {
        try file.append(bytes)
        table.append(compressed: bytes.count, content: length)
        content.spans?.append(spans)
        content.keys.add(keys)
        content = Content(spans: content.spans ?? spans, keys: content.keys, end: file.end, frames: table.count)
    }

    /// What an append had spans of.
    func note(_ traces: ArchiveTraces) { newTraces.formUnion(traces) }

    /// What was appended is not taken back any more.
    func keep() {
        traces.formUnion(newTraces)
        newTraces = ArchiveTraces()
    }

    /// The file holds what it held before; what stands behind that is cut off when it is sealed.
    func takeBack(to content: Content) {
        self.content = content
        newTraces = ArchiveTraces()
        table.cut(to: content.frames)
        if stage == .sealed { stage = .written }
        for product in products where product.file !== file { try? Directory.removeFile(product.file.path) }
        products = []
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
        try file.complete()
        do {
            try file.sync()
        } catch {
            stage = .suspect
            throw error
        }
        products = [ArchiveProduct(dataset: nil, rows: content.spans?.spans ?? 0, file: file)]
        stage = .sealed
        try file.close()
    }

    /// Makes of the content what readers will see. After an error it may be tried again.
    /// - Parameter make: is given path and bytes of the content.
    func seal(
        _ make: ((path: String, length: Int)) throws(FileError) -> [ArchiveProduct]
    ) throws(FileError) {
        try file.reopen()
        try file.truncate(to: content.end)
        try file.complete()
        try file.close()
        do {
            products = try make((file.path, content.end.length))
        } catch {
            if error.isDamage, error.path == file.path { stage = .suspect }
            throw error
        }
        stage = .sealed
    }

    /// Goes on in another file, with the same content.
    func move(to other: AppendFile, stem: String) throws(FileError) {
        try file.copy(to: other)
        let old = path
        file = other
        self.stem = stem
        stage = .written
        // Its records are in the other one now; it is not looked at again, whether it is there or not.
        try? Directory.removeFile(old)
    }

    /// Gives the first product its name. From then on all that it holds counts as published.
    /// - Parameter manifest: not published yet.
    func publish(as path: String, _ manifest: AppendFile) throws(FileError) {
        try products.first?.file.rename(to: path)
        self.manifest = manifest
        stage = .published
    }

    private func append(_ footer: [UInt8]) throws(FileError) {
        let result = footer.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
    }
}

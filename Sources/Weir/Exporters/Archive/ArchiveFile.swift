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
    /// What it is sealed with, all of it, since the manifest names one key; nil where it is not.
    private(set) var key: DataKey?
    /// Without the footer, and without what an append that failed has left.
    private(set) var content = Content()
    private(set) var table = SeekTable()
    /// Of the spans that it holds, and of those that may still be taken back.
    private(set) var index = ArchiveIndex()
    private var newEntries = ArchiveIndex.Entries()
    private(set) var stage = Stage.written
    /// What readers will see, once it is sealed: what was appended to, or what came of that.
    private(set) var products: [ArchiveProduct] = []
    /// Says all that, once it is published in part.
    private(set) var manifest: AppendFile?
    /// What its files are called until they are published, without what they end in.
    private(set) var stem: String
    /// What messages are appended to. Nil where rows come instead, for the tables.
    private var file: AppendFile?
    private var tables: [ParquetTable] = []
    /// That may still be taken back.
    private var newBatches: [ParquetBatch] = []
    /// Bytes of a row that are no text, about: ids, numbers, times, and of a sum its durations.
    private static let rowSize = 512
    /// Bytes of the texts of rows that wait in memory, and of all rows.
    private(set) var waitingText = 0
    private(set) var collectedText = 0

    init(_ partition: ArchivePartition, begun: Timestamp, stem: String, in file: AppendFile, _ key: DataKey? = nil) {
        self.key = key
        self.partition = partition
        self.begun = begun
        self.stem = stem
        self.file = file
    }

    /// Of rows.
    init(
        _ partition: ArchivePartition, begun: Timestamp, stem: String, for tables: [ParquetTable], _ key: DataKey?
    ) {
        self.key = key
        self.partition = partition
        self.begun = begun
        self.stem = stem
        self.tables = tables
    }

    /// Of what nobody has a second copy of.
    var paths: [String] {
        guard products.isEmpty else { return products.prefix(stage == .published ? 1 : .max).map(\.file.path) }
        return ([file] + tables.map(\.file)).compactMap { $0?.path }
    }

    /// - Parameter length: of what `bytes` are when they are decompressed.
    func append(
        _ bytes: UnsafeRawBufferPointer, of length: Int, _ spans: ArchivedSpans, _ keys: ArchivedKeyIDs
    ) throws(FileError) {
        guard let file else { preconditionFailure("messages where rows are wanted") }
        try file.append(bytes)
        table.append(compressed: bytes.count, content: length)
        add(spans, keys)
        (content.end, content.frames) = (file.end, table.count)
    }

    /// The same of rows. They come to the others when they are kept.
    func append(_ batch: ParquetBatch, _ spans: ArchivedSpans, _ keys: ArchivedKeyIDs) {
        newBatches.append(batch)
        add(spans, keys)
    }

    private func add(_ spans: ArchivedSpans, _ keys: ArchivedKeyIDs) {
        content.spans?.append(spans)
        content.spans = content.spans ?? spans
        content.keys.add(keys)
    }

    /// Whether something of it may still be taken back.
    var isInStep: Bool { !newBatches.isEmpty }

    /// What an append had spans of.
    func note(_ entries: ArchiveIndex.Entries) { newEntries.add(entries) }

    /// What was appended is not taken back any more.
    func keep() {
        index.add(newEntries)
        newEntries = ArchiveIndex.Entries()
        for batch in newBatches {
            for table in tables { table.add(batch.rows) }
            waitingText += batch.rows.textCount
            collectedText += batch.rows.textCount
        }
        newBatches = []
    }

    /// The file holds what it held before; what stands behind that is cut off when it is sealed.
    func takeBack(to content: Content) {
        self.content = content
        newEntries = ArchiveIndex.Entries()
        newBatches = []
        table.cut(to: content.frames)
        guard file != nil else { return }
        if stage == .sealed { stage = .written }
        products = []
    }

    /// Cuts off what stands behind the content, so that more may be appended.
    func truncate() throws(FileError) {
        try file?.truncate(to: content.end)
    }

    /// Completes the file. After an error it may be tried again.
    func seal(with footer: [UInt8]) throws(FileError) {
        guard let file else { return }
        try file.reopen()
        try file.truncate(to: content.end)
        try append(footer, to: file)
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

    /// Bytes of memory that rows wait in, about.
    var waitingSize: Int { tables.reduce(waitingText) { $0 + $1.waitingRows * Self.rowSize } }

    /// Whether a row group is full.
    var isFull: Bool {
        waitingText >= ParquetRows.maximumText || tables.contains { $0.waitingRows >= ParquetRows.maximumRows }
    }

    /// Writes the rows that wait, as a row group of each table. After an error it may be tried again.
    /// - Parameters:
    ///   - bytes: of memory, at most, that each kind of values of a column keeps for the next rows.
    ///   - key: has that for a new file. One that there was when rows began to wait may be destroyed by now.
    /// - Returns: bytes that were written.
    func writeRows(
        _ pages: inout ParquetPages, keeping bytes: Int, key: () throws(FileError) -> DataKey?,
        begin: (ArchiveDataset) throws(FileError) -> AppendFile
    ) throws(FileError) -> Int {
        let before = size
        if tables.allSatisfy({ $0.file == nil }) { self.key = try key() }
        for table in tables { try table.write(&pages, keeping: bytes, begin: begin) }
        waitingText = 0
        return size - before
    }

    private var size: Int { tables.reduce(0) { $0 + ($1.file?.end.size ?? 0) } }

    /// Completes the files of the tables, which have all rows. After an error it may be tried again.
    func seal(notes: [(name: String, text: String)]) throws(FileError) {
        for table in tables { try table.complete(notes: notes) }
        let products = tables.compactMap(\.product)
        do {
            for product in products { try product.file.sync() }
        } catch {
            stage = .suspect
            throw error
        }
        self.products = products
        stage = .sealed
        for product in products { try product.file.close() }
    }

    /// Goes on in other files, with the same content.
    /// - Parameter begin: creates one, of a dataset where there is one.
    func move(
        to stem: String, begin: (ArchiveDataset?) throws(FileError) -> AppendFile
    ) throws(FileError) {
        var others: [AppendFile] = []
        func copy(_ old: AppendFile, _ dataset: ArchiveDataset?) throws(FileError) {
            let other = try begin(dataset)
            others.append(other)
            try old.copy(to: other)
        }
        do throws(FileError) {
            if let file { try copy(file, nil) }
            for table in tables { if let file = table.file { try copy(file, table.dataset) } }
        } catch {
            for other in others { try? Directory.removeFile(other.path) }
            throw error
        }
        // Its records are in the others now; these are not looked at again, whether they are there or not.
        for path in paths { try? Directory.removeFile(path) }
        if file != nil { file = others.removeFirst() }
        for table in tables where table.file != nil { table.move(to: others.removeFirst()) }
        self.stem = stem
        stage = .written
    }

    /// The tables, for another file.
    func releaseTables() -> [ParquetTable] {
        defer { tables = [] }
        for table in tables { table.forget() }
        return tables
    }

    /// Gives the first product its name. From then on all that it holds counts as published.
    /// - Parameter manifest: not published yet.
    func publish(as path: String, _ manifest: AppendFile) throws(FileError) {
        try products.first?.file.rename(to: path)
        self.manifest = manifest
        stage = .published
    }

    private func append(_ footer: [UInt8], to file: AppendFile) throws(FileError) {
        let result = footer.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
    }
}

/// A Parquet file of the archive that is being written. It begins with its first row group.
final class ParquetTable {
    let dataset: ArchiveDataset
    private var writer: ParquetWriter
    /// Rows that others may still be added to.
    private var rollups = DailyRollups.ofFile
    private(set) var file: AppendFile?
    /// Of the row groups that are whole, and of the footer.
    private var end = AppendFile.End()
    private var hasFooter = false

    init(_ dataset: ArchiveDataset, _ compression: Compression) {
        self.dataset = dataset
        writer = ParquetWriter(dataset.columns, compression)
    }

    var waitingRows: Int { writer.waitingRows + rollups.count }

    /// Adds the rows that are for it. They wait in memory.
    func add(_ rows: borrowing ParquetRows) {
        switch dataset {
        case .spans where rows.count > 0: rows.addSpans(to: &writer)
        case .usage where !rows.rows.usage.isEmpty: rows.addUsage(to: &writer)
        case .events where !rows.events.isEmpty: rows.addEvents(to: &writer)
        case .rollups: rows.add(to: &rollups)
        case .spans, .usage, .events: break
        }
    }

    /// Writes the rows that wait as a row group. After an error it may be tried again.
    /// - Parameter bytes: of memory, at most, that each kind of values of a column keeps for the next rows.
    func write(
        _ pages: inout ParquetPages, keeping bytes: Int = .max,
        begin: (ArchiveDataset) throws(FileError) -> AppendFile
    ) throws(FileError) {
        rollups.move(to: &writer)
        // Of spans there is a file in any case: its name says which records the others are of.
        guard writer.waitingRows > 0 || dataset == .spans else { return }
        if file == nil { file = try begin(dataset) }
        guard let file, writer.waitingRows > 0 else { return }
        // Of an attempt that failed.
        try file.truncate(to: end)
        do {
            try writer.writeGroup(to: file, &pages, keeping: bytes)
        } catch {
            throw error as? FileError ?? FileError.noMemory(file.path)
        }
        end = file.end
    }

    /// Nothing follows any more.
    func complete(notes: [(name: String, text: String)]) throws(FileError) {
        guard let file else { return }
        try file.reopen()
        try file.truncate(to: end)
        if !hasFooter {
            try writer.finish(file, notes: notes)
            end = file.end
            hasFooter = true
        }
        try file.complete()
    }

    /// What readers will see; nil where no row came.
    var product: ArchiveProduct? {
        file.map { ArchiveProduct(dataset: dataset, rows: writer.rowCount, file: $0) }
    }

    /// Goes on in another file, with the same bytes.
    func move(to other: AppendFile) {
        file = other
    }

    /// Forgets the file; the memory serves for the next one.
    func forget() {
        file = nil
        end = AppendFile.End()
        hasFooter = false
        writer.forget()
        rollups = .ofFile
    }
}

/// A Parquet file of the archive that is being written. It begins with its first row group.
final class ParquetTable {
    let dataset: ArchiveDataset
    private let compression: Compression
    private let begin: (ArchiveDataset) throws(FileError) -> AppendFile
    private var writer: ParquetWriter?
    private(set) var file: AppendFile?

    init(
        _ dataset: ArchiveDataset, _ compression: Compression,
        begin: @escaping (ArchiveDataset) throws(FileError) -> AppendFile
    ) {
        self.dataset = dataset
        self.compression = compression
        self.begin = begin
    }

    /// - Parameter write: writes a row group.
    func write(_ write: (inout ParquetWriter) throws -> Void) throws {
        if file == nil {
            let file = try begin(dataset)
            self.file = file
            writer = try ParquetWriter(dataset.columns, to: file, compression)
        }
        try writer?.add(write)
    }

    /// Completes the file. Nil where no row came.
    func finish(notes: [(name: String, text: String)]) throws -> ArchiveProduct? {
        guard let file, let rows = try writer?.complete(notes) else { return nil }
        try file.complete()
        try file.sync()
        try file.close()
        return ArchiveProduct(dataset: dataset, rows: rows, file: file)
    }
}

extension ParquetWriter {
    fileprivate mutating func add(_ write: (inout ParquetWriter) throws -> Void) throws { try write(&self) }

    fileprivate mutating func complete(_ notes: [(name: String, text: String)]) throws -> Int {
        try finish(notes: notes)
        return rowCount
    }
}

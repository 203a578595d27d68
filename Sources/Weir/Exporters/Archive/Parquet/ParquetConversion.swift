/// Turns what was collected into Parquet files. Memory is bounded by a row group, not by the file.
struct ParquetConversion {
    let compression: Compression
    /// What the files say of themselves.
    let notes: [(name: String, text: String)]
    /// Of what was collected, where that is sealed. It may have been destroyed since.
    var key: DataKey?

    /// - Parameters:
    ///   - spool: path and bytes of what was collected.
    ///   - begin: opens the file for the rows of a dataset.
    /// - Returns: the files that have rows, `spans` first, complete and synced. After an error there is none.
    func run(
        _ spool: (path: String, length: Int), begin: @escaping (ArchiveDataset) throws(FileError) -> AppendFile
    ) throws(FileError) -> [ArchiveProduct] {
        let tables = ArchiveDataset.allCases.map { ParquetTable($0, compression, begin: begin) }
        do {
            try read(spool, into: tables)
            return try tables.compactMap { try $0.finish(notes: notes) }
        } catch {
            for table in tables.compactMap(\.file) { try? Directory.removeFile(table.path) }
            switch error {
            case let error as FileError: throw error
            case is CompressorError, InflateError.outOfMemory: throw FileError.noMemory(spool.path)
            default: throw FileError.damaged(spool.path)
            }
        }
    }

    private func read(_ spool: (path: String, length: Int), into tables: [ParquetTable]) throws {
        var batch = Batch(decodedLimit: .max)
        var rows = ParquetRows()
        try ArchiveSpool.read(spool.path, length: spool.length, key, into: &batch) { batch, sequence in
            rows.add(batch, sequence: sequence)
            if rows.isFull { try Self.write(&rows, to: tables) }
        }
        try Self.write(&rows, to: tables)
    }

    private static func write(_ rows: inout ParquetRows, to tables: [ParquetTable]) throws {
        for table in tables {
            switch table.dataset {
            case .spans where rows.count > 0: try table.write { try rows.writeSpans(to: &$0) }
            case .usage where !rows.rows.usage.isEmpty: try table.write { try rows.writeUsage(to: &$0) }
            case .events where !rows.events.isEmpty: try table.write { try rows.writeEvents(to: &$0) }
            case .spans, .usage, .events: continue
            }
        }
        rows.reset()
    }
}

/// Reads Parquet files that ``ParquetWriter`` wrote, a column of a row group at a time. Other writers' files it may
/// refuse.
struct ParquetReader {
    /// A column in one row group.
    struct Chunk {
        fileprivate let offset: Int
        fileprivate let size: Int
        fileprivate let filter: Range<Int>?
    }

    struct Group {
        let rows: Int
        /// Before compression.
        let bytes: Int
        let chunks: [Chunk]
    }

    /// The values of a column in one row group.
    enum Values {
        /// All texts, and where in them that of a row stands.
        case texts([UInt8], [Range<Int>?])
        case numbers([Int64?])

        /// - Parameter row: one that there is.
        func text(_ row: Int) -> [UInt8]? {
            guard case .texts(let bytes, let places) = self else { return nil }
            return places[row].map { Array(bytes[$0]) }
        }

        func number(_ row: Int) -> Int64? {
            guard case .numbers(let numbers) = self else { return nil }
            return numbers[row]
        }
    }

    private static let maxFooter = 256 << 20
    /// Of a row group: many times what is written.
    private static let maxRows = 1 << 24

    let path: String
    /// Names and types; what else ``ParquetColumn`` says is the writer's.
    let columns: [ParquetColumn]
    let groups: [Group]
    let notes: [(name: String, text: String)]
    let compression: Compression
    private let keys: (any FileKeys)?

    /// - Parameter keys: of a file that is sealed.
    init(_ path: String, _ keys: (any FileKeys)? = nil) throws(FileError) {
        self.path = path
        self.keys = keys
        var reader = try FileReader(path, opening: keys)
        let size = try reader.length
        guard size >= 12 else { throw .damaged(path) }
        let tail = try reader.piece(size - 8..<size)
        let length = tail.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard tail.suffix(4).elementsEqual("PAR1".utf8), length <= min(size - 12, Self.maxFooter) else {
            throw .damaged(path)
        }
        let footer = try reader.piece(size - 8 - length..<size - 8)
        let file = footer.withUnsafeBytes { bytes in
            var reader = ThriftReader(bytes)
            return reader.message()
        }
        guard let file, let columns = Self.columns(of: file), let groups = Self.groups(of: file, columns.count, size),
            let compression = Self.compression(of: file)
        else { throw .damaged(path) }
        self.columns = columns
        self.groups = groups
        self.compression = compression
        notes = (file[5]?.elements ?? []).compactMap { note in
            note[1]?.text.map { (name: $0, text: note[2]?.text ?? "") }
        }
    }

    /// The index of a column; nil where there is none of that name.
    func column(_ name: String) -> Int? { columns.firstIndex { $0.name == name } }

    private static func columns(of file: ThriftReader.Value) -> [ParquetColumn]? {
        let elements = file[2]?.elements.dropFirst() ?? []
        let columns = elements.compactMap { element -> ParquetColumn? in
            guard let name = element[4]?.text, let type = element[1]?.int else { return nil }
            let kind: ParquetColumn.Kind? =
                switch (type, element[6]?.int) {
                case (0, _): .flag
                case (1, _): .int32
                case (2, 10): .timestamp
                case (2, 5): .decimal(scale: element[7]?.int ?? 0)
                case (2, _): .int64
                case (6, _): .text
                default: nil
                }
            return kind.map { ParquetColumn(name: name, kind: $0, isOptional: element[3]?.int == 1) }
        }
        return columns.count == elements.count && !columns.isEmpty ? columns : nil
    }

    private static func groups(of file: ThriftReader.Value, _ columns: Int, _ size: Int) -> [Group]? {
        let found = file[4]?.elements ?? []
        let groups = found.compactMap { group -> Group? in
            guard let rows = group[3]?.int, (0...maxRows).contains(rows) else { return nil }
            let chunks = (group[1]?.elements ?? []).compactMap { chunk -> Chunk? in
                guard let data = chunk[3], let first = data[9]?.int, let length = data[7]?.int else { return nil }
                let offset = data[11]?.int ?? first
                guard offset >= 4, length >= 0, offset <= size, length <= size - offset else { return nil }
                let filter = data[14]?.int.flatMap { start in
                    data[15]?.int.flatMap { start >= 4 && $0 > 0 && $0 <= size - start ? start..<start + $0 : nil }
                }
                return Chunk(offset: offset, size: length, filter: filter)
            }
            return chunks.count == columns ? Group(rows: rows, bytes: group[2]?.int ?? 0, chunks: chunks) : nil
        }
        return groups.count == found.count ? groups : nil
    }

    private static func compression(of file: ThriftReader.Value) -> Compression? {
        switch file[4]?.elements.first?[1]?.elements.first?[3]?[4]?.int {
        case nil, 0?: Compression.none
        case 2?: .gzip
        case 6?: .zstd
        default: nil
        }
    }

    // MARK: Values

    /// What values a column may have; nil where nobody wrote that down.
    func filter(of column: Int, in group: Group) throws(FileError) -> BloomFilter? {
        guard let place = group.chunks[column].filter else { return nil }
        return BloomFilter(written: try piece(place))
    }

    private func piece(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path, opening: keys)
        return try reader.piece(range)
    }

    func values(of index: Int, in group: Group) throws -> Values {
        let (column, chunk) = (columns[index], group.chunks[index])
        let bytes = try piece(chunk.offset..<chunk.offset + chunk.size)
        var reader = ParquetColumnReader(column, rows: group.rows, compression)
        return try bytes.withUnsafeBytes { bytes in
            guard let values = try reader.read(bytes) else { throw FileError.damaged(path) }
            return values
        }
    }
}

/// Writes a Parquet file. Rows wait in memory, column by column, until they are written as a row group.
///
/// What is read by the plainest readers is written: flat columns, data pages of version 1, one codec.
struct ParquetWriter: ~Copyable {
    /// Bytes of a page before it is compressed, about. One value may be more, and sizes have 31 bits.
    private static let pageSize = 256 << 20
    /// Bytes of a text up to which it can be a bound.
    private static let maximumBound = 64
    private static let magic = Array("PAR1".utf8)

    private var footer: ParquetFooter
    /// For each column.
    private let values: UnsafeMutablePointer<ParquetValues>
    /// That wait for their row group.
    private(set) var waitingRows = 0
    /// That are being added, and the column that comes next.
    private(set) var rows = 0
    private var column = 0

    init(_ columns: [ParquetColumn], _ compression: Compression) {
        // parquet.thrift, enum CompressionCodec.
        let codec =
            switch compression {
            case .none: 0
            case .gzip: 2
            case .zstd: 6
            }
        footer = ParquetFooter(columns: columns, codec: codec)
        values = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() { (values + index).initialize(to: ParquetValues(of: column)) }
    }

    deinit {
        values.deinitialize(count: footer.columns.count)
        values.deallocate()
    }

    /// Rows of the row groups that are written.
    var rowCount: Int { footer.groups.reduce(0) { $0 + $1.rows } }

    /// Begins to add rows; then come their values of each column, in the order of the schema.
    mutating func begin(rows: Int) {
        precondition(rows > 0 && column == 0, "\(rows) rows behind others that are not complete")
        self.rows = rows
    }

    /// The rows are complete.
    mutating func end() {
        precondition(column == footer.columns.count, "rows without all of their columns")
        waitingRows += rows
        column = 0
    }

    /// The next column.
    /// - Parameter value: the text of a row; nil for none.
    @inline(__always)
    mutating func texts(_ value: (Int) -> UnsafeRawBufferPointer?) {
        let next = nextColumn
        precondition(next.pointee.column.kind == .text, "texts for \(next.pointee.column.name)")
        for row in 0..<rows { next.pointee.append(value(row)) }
    }

    /// The next column, of texts that come with keys: those of many rows, one behind the other, are often the same.
    /// - Parameter value: the text of a row, which holds until it is called again.
    @inline(__always)
    mutating func texts<Key: Equatable>(
        of key: (Int) -> Key, _ value: (Key) -> UnsafeRawBufferPointer?
    ) {
        let next = nextColumn
        precondition(next.pointee.column.kind == .text, "texts for \(next.pointee.column.name)")
        var last = key(0)
        var text = value(last)
        next.pointee.append(text)
        for row in 1..<rows {
            let key = key(row)
            if key == last {
                next.pointee.append(again: text)
            } else {
                (last, text) = (key, value(key))
                next.pointee.append(text)
            }
        }
    }

    /// The next column, of numbers, times and amounts; flags are 0 and 1.
    @inline(__always)
    mutating func numbers(_ value: (Int) -> Int64?) {
        let next = nextColumn
        precondition(next.pointee.column.kind != .text, "numbers for \(next.pointee.column.name)")
        for row in 0..<rows { next.pointee.append(value(row)) }
    }

    /// The next columns, of which no row has a value.
    mutating func nothing(columns: Int) {
        for _ in 0..<columns { nextColumn.pointee.appendNone(rows) }
    }

    private var nextColumn: UnsafeMutablePointer<ParquetValues> {
        mutating get {
            precondition(column < footer.columns.count, "more columns than the schema has")
            column += 1
            return values + (column - 1)
        }
    }

    /// Writes the rows that wait as a row group. After an error they still wait, and what was appended of them has to
    /// be cut off.
    /// - Parameters:
    ///   - file: always the same, and empty at first.
    ///   - bytes: of memory, at most, that each kind of values of a column keeps.
    mutating func writeGroup(
        to file: AppendFile, _ pages: inout ParquetPages, keeping bytes: Int = .max
    ) throws {
        guard waitingRows > 0 else { return }
        if footer.groups.isEmpty { try append(Self.magic, to: file) }
        var chunks: [ParquetChunk] = []
        for index in footer.columns.indices {
            values[index].finish()
            chunks.append(try write(values + index, to: file, &pages))
        }
        for index in chunks.indices {
            guard let filter = values[index].filter else { continue }
            let start = file.end.length
            try append(filter.bytes, to: file)
            chunks[index].filterPlace = start..<file.end.length
        }
        footer.groups.append(ParquetFooter.RowGroup(rows: waitingRows, chunks: chunks))
        for index in footer.columns.indices { values[index].reset(keeping: bytes) }
        pages.reset()
        waitingRows = 0
    }

    /// Completes the file.
    func finish(_ file: AppendFile, notes: [(name: String, text: String)]) throws(FileError) {
        try append((footer.groups.isEmpty ? Self.magic : []) + footer.bytes(notes: notes), to: file)
    }

    /// Forgets the file; the memory serves for the next one.
    mutating func forget() {
        footer.groups = []
        for index in footer.columns.indices { values[index].forget() }
    }

    private func append(_ bytes: [UInt8], to file: AppendFile) throws(FileError) {
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try file.append(bytes) } }
        try result.get()
    }
}

// MARK: - Column chunks

extension ParquetWriter {
    private func write(
        _ values: UnsafeMutablePointer<ParquetValues>, to file: AppendFile, _ pages: inout ParquetPages
    ) throws -> ParquetChunk {
        var chunk = ParquetChunk()
        chunk.nulls = waitingRows - values.pointee.count
        chunk.bounds = values.pointee.bounds(limit: Self.maximumBound)
        guard values.pointee.count > 0 else {
            chunk.dataOffset = file.end.length
            begin(0..<waitingRows, values, &pages)
            try writeData(waitingRows, to: file, &chunk, &pages)
            return chunk
        }
        switch values.pointee.column.kind {
        case .text where values.pointee.hasDictionary: try writeDictionary(values, to: file, &chunk, &pages)
        case .text: try writeTexts(values, to: file, &chunk, &pages)
        case .flag:
            chunk.dataOffset = file.end.length
            begin(0..<waitingRows, values, &pages)
            var packer = BitPacker()
            for place in values.pointee.numbers.indices {
                packer.append(UInt64(values.pointee.numbers[place] & 1), width: 1, to: &pages.head)
            }
            packer.finish(to: &pages.head)
            try writeData(waitingRows, to: file, &chunk, &pages)
        case .int32, .int64, .timestamp, .decimal:
            chunk.dataOffset = file.end.length
            chunk.encoding = .deltas
            begin(0..<waitingRows, values, &pages)
            let bits = values.pointee.column.kind == .int32 ? 32 : 64
            Deltas.append(values.pointee.numbers.elements, bits: bits, to: &pages.head)
            try writeData(waitingRows, to: file, &chunk, &pages)
        }
        return chunk
    }

    private func writeDictionary(
        _ values: UnsafeMutablePointer<ParquetValues>, to file: AppendFile, _ chunk: inout ParquetChunk,
        _ pages: inout ParquetPages
    ) throws {
        chunk.encoding = .dictionary
        chunk.dictionaryOffset = file.end.length
        let count = values.pointee.dictionary.count
        pages.head.count = 0
        let texts = UnsafeMutableRawBufferPointer(mutating: values.pointee.dictionary.plain.bytes)
        try pages.write(texts, to: file, of: &chunk) { header in
            header.message(7) { head in
                head.int32(1, count)
                head.int32(2, ParquetChunk.Encoding.plain.rawValue)
            }
        }
        chunk.dataOffset = file.end.length
        let width = max(1, UInt64.bitWidth - UInt64(count - 1).leadingZeroBitCount)
        begin(0..<waitingRows, values, &pages)
        pages.head.append(UInt8(width))
        RunLengths.append(values.pointee.indices.elements, width: width, to: &pages.head)
        try writeData(waitingRows, to: file, &chunk, &pages)
    }

    private func writeTexts(
        _ values: UnsafeMutablePointer<ParquetValues>, to file: AppendFile, _ chunk: inout ParquetChunk,
        _ pages: inout ParquetPages
    ) throws {
        chunk.encoding = .deltaLengths
        chunk.dataOffset = file.end.length
        var (row, text, place) = (0, 0, 0)
        while row < waitingRows {
            let start = (row: row, text: text, place: place)
            while row < waitingRows, place - start.place < Self.pageSize {
                if !values.pointee.column.isOptional || values.pointee.levels[row] == 1 {
                    place += Int(values.pointee.numbers[text])
                    text += 1
                }
                row += 1
            }
            begin(start.row..<row, values, &pages)
            let lengths = UnsafeBufferPointer(rebasing: values.pointee.numbers.elements[start.text..<text])
            Deltas.append(lengths, bits: 32, to: &pages.head)
            // In front of a later page there is the one before, which is written anew after an error.
            let room = start.place == 0 ? values.pointee.room : 0
            let texts = values.pointee.texts(start.place..<place)
            try writeData(row - start.row, texts, room: room, to: file, &chunk, &pages)
        }
    }

    /// Begins a page with which rows have a value, where not all must.
    private func begin(
        _ rows: Range<Int>, _ values: UnsafeMutablePointer<ParquetValues>, _ pages: inout ParquetPages
    ) {
        pages.head.count = 0
        guard values.pointee.column.isOptional else { return }
        pages.head.littleEndian(UInt32(0))
        let levels = UnsafeBufferPointer(rebasing: values.pointee.levels.elements[rows])
        RunLengths.append(levels, width: 1, to: &pages.head)
        let length = UInt32(pages.head.count - 4).littleEndian
        UnsafeMutableRawPointer(pages.head.base).storeBytes(of: length, as: UInt32.self)
    }

    private func writeData(
        _ rows: Int, _ rest: UnsafeMutableRawBufferPointer? = nil, room: Int = 0, to file: AppendFile,
        _ chunk: inout ParquetChunk, _ pages: inout ParquetPages
    ) throws {
        let encoding = chunk.encoding.rawValue
        try pages.write(rest, room: room, to: file, of: &chunk) { header in
            header.message(5) { head in
                head.int32(1, rows)
                head.int32(2, encoding)
                head.int32(3, ParquetChunk.Encoding.runLengths.rawValue)
                head.int32(4, ParquetChunk.Encoding.runLengths.rawValue)
            }
        }
    }
}

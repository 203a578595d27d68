import CLibraries

/// Writes a Parquet file, one row group after the other, each column by column in the order of the schema.
///
/// What is read by the plainest readers is written: flat columns, data pages of version 1, one codec.
struct ParquetWriter: ~Copyable {
    /// Bytes of a page before it is compressed, about; what a reader has to hold at a time. One value may be more.
    private static let pageSize = 1 << 20
    /// Bytes of a text up to which it can be a bound.
    private static let maximumBound = 64

    private let file: AppendFile
    private let compression: Compression
    private var compressor: Compressor
    private var footer: ParquetFooter
    /// Of the row group that is being written.
    private(set) var rows = 0
    private var chunks: [ParquetChunk] = []
    /// The values of the column that is being written, without those that are not there.
    private var texts: [UnsafeRawBufferPointer] = []
    private var numbers: [Int64] = []
    /// For each row, 1 where there is a value.
    private var levels: [UInt32] = []
    private var page: RecordBuffer<UInt8>
    private var packed: RecordBuffer<UInt8>

    /// - Parameter file: empty.
    init(_ columns: [ParquetColumn], to file: AppendFile, _ compression: Compression) throws {
        try Array("PAR1".utf8).withUnsafeBytes { try file.append($0) }
        compressor = try Compressor(compression)
        self.file = file
        self.compression = compression
        page = RecordBuffer(capacity: 64 << 10, limit: .max)
        packed = RecordBuffer(capacity: 64 << 10, limit: .max)
        // parquet.thrift, enum CompressionCodec.
        let codec =
            switch compression {
            case .none: 0
            case .gzip: 2
            case .zstd: 6
            }
        footer = ParquetFooter(columns: columns, codec: codec)
    }

    /// Rows of the row groups that are complete.
    var rowCount: Int { footer.groups.reduce(0) { $0 + $1.rows } }

    /// Begins a row group; then come the values of each column.
    mutating func begin(rows: Int) {
        precondition(rows > 0 && chunks.isEmpty, "a row group of \(rows) rows behind one that is not complete")
        self.rows = rows
    }

    /// Ends the row group.
    mutating func end() throws {
        precondition(chunks.count == footer.columns.count, "a row group without all of its columns")
        for index in chunks.indices {
            guard let filter = chunks[index].filter else { continue }
            let start = file.end.length
            try append(filter.bytes)
            chunks[index].filterPlace = start..<file.end.length
            chunks[index].filter = nil
        }
        footer.groups.append(ParquetFooter.RowGroup(rows: rows, chunks: chunks))
        chunks = []
    }

    /// Completes the file.
    mutating func finish(notes: [(name: String, text: String)]) throws {
        try append(footer.bytes(notes: notes))
    }

    // MARK: Columns

    /// The next column.
    /// - Parameter value: the text of a row, which lives until this returns; nil for none.
    mutating func texts(_ value: (Int) -> UnsafeRawBufferPointer?) throws {
        let column = nextColumn
        precondition(column.kind == .text, "texts for \(column.name)")
        texts.removeAll(keepingCapacity: true)
        beginLevels(of: column)
        for row in 0..<rows {
            let text = value(row)
            if let text { texts.append(text) }
            note(text != nil, column)
        }
        var chunk = ParquetChunk()
        chunk.nulls = rows - texts.count
        if column.repeats, !texts.isEmpty, let dictionary = ByteDictionary(texts) {
            try write(dictionary, column, &chunk)
        } else {
            try writeTexts(column, &chunk)
        }
        chunks.append(chunk)
    }

    /// The next column, of numbers, times and amounts; flags are 0 and 1.
    mutating func numbers(_ value: (Int) -> Int64?) throws {
        let column = nextColumn
        precondition(column.kind != .text, "numbers for \(column.name)")
        numbers.removeAll(keepingCapacity: true)
        beginLevels(of: column)
        for row in 0..<rows {
            let number = value(row)
            if let number { numbers.append(number) }
            note(number != nil, column)
        }
        var chunk = ParquetChunk()
        chunk.nulls = rows - numbers.count
        if let least = numbers.min(), let greatest = numbers.max() {
            chunk.bounds = (column.plain(least), column.plain(greatest))
        }
        try writeNumbers(column, &chunk)
        chunks.append(chunk)
    }

    private var nextColumn: ParquetColumn {
        precondition(chunks.count < footer.columns.count, "more columns than the schema has")
        return footer.columns[chunks.count]
    }

    private mutating func beginLevels(of column: ParquetColumn) {
        levels.removeAll(keepingCapacity: true)
        texts.reserveCapacity(rows)
    }

    @inline(__always)
    private mutating func note(_ isThere: Bool, _ column: ParquetColumn) {
        precondition(isThere || column.isOptional, "no value where one is needed")
        if column.isOptional { levels.append(isThere ? 1 : 0) }
    }
}

// MARK: - Pages

extension ParquetWriter {
    private mutating func write(
        _ dictionary: ByteDictionary, _ column: ParquetColumn, _ chunk: inout ParquetChunk
    ) throws {
        chunk.encoding = .dictionary
        chunk.dictionaryOffset = file.end.length
        if column.hasBounds { chunk.bounds = Self.bounds(of: dictionary.entries) }
        page.count = 0
        for entry in dictionary.entries {
            page.littleEndian(UInt32(entry.count))
            page.append(entry)
        }
        try writePage(&chunk) { header in
            header.message(7) { head in
                head.int32(1, dictionary.entries.count)
                head.int32(2, ParquetChunk.Encoding.plain.rawValue)
            }
        }
        if column.isLookedFor {
            var filter = BloomFilter(for: dictionary.hashes.count)
            for hash in dictionary.hashes { filter.insert(hash) }
            chunk.filter = filter
        }
        chunk.dataOffset = file.end.length
        let width = max(1, UInt64.bitWidth - UInt64(dictionary.entries.count - 1).leadingZeroBitCount)
        beginPage(rows: 0..<rows, column)
        page.append(UInt8(width))
        RunLengths.append(dictionary.indices[...], width: width, to: &page)
        try writeData(rows: rows, &chunk)
    }

    private mutating func writeTexts(_ column: ParquetColumn, _ chunk: inout ParquetChunk) throws {
        chunk.encoding = texts.isEmpty ? .plain : .deltaLengths
        chunk.dataOffset = file.end.length
        if column.hasBounds { chunk.bounds = Self.bounds(of: texts) }
        if column.isLookedFor, !texts.isEmpty {
            var filter = BloomFilter(for: texts.count)
            for text in texts { filter.insert(XXHash64.hash(text)) }
            chunk.filter = filter
        }
        var row = 0
        var text = 0
        while row < rows {
            let start = (row: row, text: text)
            var size = 0
            while row < rows, size < Self.pageSize {
                if !column.isOptional || levels[row] == 1 {
                    size += texts[text].count
                    text += 1
                }
                row += 1
            }
            beginPage(rows: start.row..<row, column)
            let values = texts[start.text..<text]
            if chunk.encoding == .deltaLengths {
                Deltas.append(values.map { Int64($0.count) }[...], bits: 32, to: &page)
                for value in values { page.append(value) }
            }
            try writeData(rows: row - start.row, &chunk)
        }
    }

    private mutating func writeNumbers(_ column: ParquetColumn, _ chunk: inout ParquetChunk) throws {
        chunk.dataOffset = file.end.length
        beginPage(rows: 0..<rows, column)
        if column.kind == .flag {
            var packer = BitPacker()
            for number in numbers { packer.append(UInt64(number & 1), width: 1, to: &page) }
            packer.finish(to: &page)
        } else if !numbers.isEmpty {
            chunk.encoding = .deltas
            Deltas.append(numbers[...], bits: column.kind == .int32 ? 32 : 64, to: &page)
        }
        try writeData(rows: rows, &chunk)
    }

    /// Which rows have a value, where not all must.
    private mutating func beginPage(rows: Range<Int>, _ column: ParquetColumn) {
        page.count = 0
        guard column.isOptional else { return }
        page.littleEndian(UInt32(0))
        RunLengths.append(levels[rows], width: 1, to: &page)
        let length = UInt32(page.count - 4)
        withUnsafeBytes(of: length.littleEndian) { bytes in
            for (place, byte) in bytes.enumerated() { page[place] = byte }
        }
    }

    private mutating func writeData(rows: Int, _ chunk: inout ParquetChunk) throws {
        let encoding = chunk.encoding.rawValue
        try writePage(&chunk) { header in
            header.message(5) { head in
                head.int32(1, rows)
                head.int32(2, encoding)
                head.int32(3, ParquetChunk.Encoding.runLengths.rawValue)
                head.int32(4, ParquetChunk.Encoding.runLengths.rawValue)
            }
        }
    }

    /// - Parameter describe: writes what is special to the kind of page.
    private mutating func writePage(
        _ chunk: inout ParquetChunk, describe: (inout ThriftWriter) -> Void
    ) throws {
        let isDictionary = chunk.dictionaryOffset == file.end.length
        if compression != .none {
            packed.count = 0
            try compressor.writeWhole(page.bytes) { packed.append($0) }
        }
        let size = compression == .none ? page.count : packed.count
        let checksum = libdeflate_crc32(0, compression == .none ? page.base : packed.base, size)
        let header = ThriftWriter { header in
            header.int32(1, isDictionary ? 2 : 0)
            header.int32(2, page.count)
            header.int32(3, size)
            header.int32(4, Int(Int32(bitPattern: checksum)))
            describe(&header)
        }
        try append(header.bytes)
        try file.append(compression == .none ? page.bytes : packed.bytes)
        chunk.rawSize += header.bytes.count + page.count
        chunk.size += header.bytes.count + size
    }

    private func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file.append($0) }
    }

    /// Nil where one of them is too long to stand in every footer.
    private static func bounds(of texts: [UnsafeRawBufferPointer]) -> (least: [UInt8], greatest: [UInt8])? {
        guard var least = texts.first else { return nil }
        var greatest = least
        for text in texts {
            if text.lexicographicallyPrecedes(least) { least = text }
            if greatest.lexicographicallyPrecedes(text) { greatest = text }
        }
        guard max(least.count, greatest.count) <= maximumBound else { return nil }
        return (Array(least), Array(greatest))
    }
}

extension ParquetColumn {
    /// PLAIN: little-endian.
    fileprivate func plain(_ number: Int64) -> [UInt8] {
        switch kind {
        case .flag: [UInt8(truncatingIfNeeded: number & 1)]
        case .int32: withUnsafeBytes(of: Int32(truncatingIfNeeded: number).littleEndian) { Array($0) }
        default: withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
    }
}

/// Reads the pages of a column in one row group.
struct ParquetColumnReader {
    private let column: ParquetColumn
    private let rows: Int
    private let encoding: ContentEncoding
    private var texts: [UInt8] = []
    private var places: [Range<Int>?] = []
    private var numbers: [Int64?] = []
    /// The entries of the dictionary page.
    private var entries: [Range<Int>] = []

    init(_ column: ParquetColumn, rows: Int, _ compression: Compression) {
        self.column = column
        self.rows = rows
        encoding =
            switch compression {
            case .none: .identity
            case .gzip: .gzip
            case .zstd: .zstd
            }
    }

    private var count: Int { column.kind == .text ? places.count : numbers.count }

    /// - Returns: nil where the pages are not what was written.
    mutating func read(_ chunk: UnsafeRawBufferPointer) throws -> ParquetReader.Values? {
        var inflater = try Inflater()
        var rest = chunk
        while count < rows {
            var header = ThriftReader(rest)
            guard let page = header.message(), let size = page[3]?.int, let rawSize = page[2]?.int, size >= 0,
                rawSize >= 0, size <= rest.count - header.position
            else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: rest[header.position..<header.position + size])
            let raw = try inflater.inflate(body, encoding: encoding, limit: rawSize)
            let isSound = withExtendedLifetime(raw) { read(page, ParquetCursor($0.bytes)) }
            guard isSound else { return nil }
            rest = UnsafeRawBufferPointer(rebasing: rest[(header.position + size)...])
        }
        guard count == rows else { return nil }
        return column.kind == .text ? .texts(texts, places) : .numbers(numbers)
    }

    private mutating func read(_ page: ThriftReader.Value, _ bytes: ParquetCursor) -> Bool {
        var bytes = bytes
        if page[1]?.int == 2 { return readDictionary(page[7]?[1]?.int ?? -1, &bytes) }
        guard page[1]?.int == 0, let head = page[5], let rows = head[1]?.int, (1...self.rows - count).contains(rows),
            let encoding = head[2]?.int.flatMap(ParquetChunk.Encoding.init)
        else { return false }
        var levels = [UInt32](repeating: 1, count: rows)
        if column.isOptional {
            guard let length = bytes.length(), let packed = bytes.take(length) else { return false }
            var cursor = ParquetCursor(packed)
            guard let read = cursor.runs(rows, width: 1) else { return false }
            levels = read
        }
        let present = levels.count { $0 == 1 }
        return column.kind == .text
            ? readTexts(encoding, present, levels, &bytes) : readNumbers(encoding, present, levels, &bytes)
    }

    private mutating func readDictionary(_ count: Int, _ bytes: inout ParquetCursor) -> Bool {
        guard count >= 0, column.kind == .text else { return false }
        for _ in 0..<count {
            guard let length = bytes.length(), let text = bytes.take(length) else { return false }
            entries.append(texts.count..<texts.count + length)
            texts += text
        }
        return true
    }

    private mutating func readTexts(
        _ encoding: ParquetChunk.Encoding, _ present: Int, _ levels: [UInt32], _ bytes: inout ParquetCursor
    ) -> Bool {
        var found: [Range<Int>] = []
        found.reserveCapacity(present)
        switch encoding {
        case .dictionary:
            guard let width = bytes.byte() else { return false }
            guard let indices = present == 0 ? [] : bytes.runs(present, width: Int(width)) else { return false }
            for index in indices {
                guard Int(index) < entries.count else { return false }
                found.append(entries[Int(index)])
            }
        case .deltaLengths:
            guard let lengths = bytes.deltas(bits: 32, limit: present), lengths.count == present else { return false }
            for length in lengths {
                guard let text = bytes.take(Int(length)) else { return false }
                found.append(texts.count..<texts.count + text.count)
                texts += text
            }
        case .plain where present == 0: break
        default: return false
        }
        var next = found.makeIterator()
        for level in levels { places.append(level == 1 ? next.next() : nil) }
        return true
    }

    private mutating func readNumbers(
        _ encoding: ParquetChunk.Encoding, _ present: Int, _ levels: [UInt32], _ bytes: inout ParquetCursor
    ) -> Bool {
        var found: [Int64] = []
        switch encoding {
        case .deltas:
            guard let values = bytes.deltas(bits: column.kind == .int32 ? 32 : 64, limit: present)
            else { return false }
            found = values
        case .plain where column.kind == .flag:
            guard let bits = bytes.packed(present, width: 1) else { return false }
            found = bits.map { Int64($0) }
        case .plain where present == 0: break
        default: return false
        }
        guard found.count == present else { return false }
        var next = found.makeIterator()
        for level in levels { numbers.append(level == 1 ? next.next() : nil) }
        return true
    }
}

import CLibraries

/// Compresses pages of Parquet files and appends them, one after the other in the same memory.
struct ParquetPages: ~Copyable {
    let compression: Compression
    /// What the page being written begins with.
    var head = RecordBuffer<UInt8>(capacity: 64 << 10, limit: .max)
    private var packed = RecordBuffer<UInt8>(capacity: 64 << 10, limit: .max)
    /// Nil before the first page, and where it failed.
    private var compressor: Compressor?

    /// Up to so many bytes are copied behind the head, and compressed in one piece.
    private static let copied = 256 << 10
    /// Bytes of memory that are kept from one row group to the next.
    private static let retained = 16 << 20

    init(_ compression: Compression) {
        self.compression = compression
    }

    /// Writes a page of the head and of what follows it.
    /// - Parameter describe: writes what is special to the kind of page.
    mutating func write(
        _ rest: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0), to file: AppendFile,
        of chunk: inout ParquetChunk, describe: (inout ThriftWriter) -> Void
    ) throws {
        let isDictionary = chunk.dictionaryOffset == file.end.length
        let size = head.count + rest.count
        packed.count = 0
        if compression == .none {
            packed.append(head.bytes)
            packed.append(rest)
        } else {
            try compress(rest)
        }
        let checksum = libdeflate_crc32(0, packed.base, packed.count)
        let header = ThriftWriter { header in
            header.int32(1, isDictionary ? 2 : 0)
            header.int32(2, size)
            header.int32(3, packed.count)
            header.int32(4, Int(Int32(bitPattern: checksum)))
            describe(&header)
        }
        try header.bytes.withUnsafeBytes { try file.append($0) }
        try file.append(packed.bytes)
        chunk.rawSize += header.bytes.count + size
        chunk.size += header.bytes.count + packed.count
    }

    private mutating func compress(_ rest: UnsafeRawBufferPointer) throws {
        // Pages have a checksum of their own.
        var compressor =
            try self.compressor.take()
            ?? Compressor(compression, level: Self.level(of: compression), hasChecksum: false, isFarsighted: true)
        if rest.count <= Self.copied {
            head.append(rest)
            try compressor.writeWhole(head.bytes) { packed.append($0) }
        } else {
            try compressor.write(head.bytes) { packed.append($0) }
            try compressor.writeWhole(rest) { packed.append($0) }
        }
        self.compressor = consume compressor
    }

    /// Columns have done what the higher levels of zstd do for messages: of backend spans level 3 makes more bytes than
    /// 1, of prompts 2 % fewer, in one and a half times the time.
    private static func level(of compression: Compression) -> Int? { compression == .zstd ? 1 : nil }

    /// Gives back memory that large pages had made it take.
    mutating func reset() {
        head.reset(keeping: Self.retained)
        packed.reset(keeping: Self.retained)
    }
}

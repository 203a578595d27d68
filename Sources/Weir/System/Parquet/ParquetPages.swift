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
    /// - Parameters:
    ///   - room: bytes in front of what follows that may be written to.
    ///   - describe: writes what is special to the kind of page.
    mutating func write(
        _ rest: UnsafeMutableRawBufferPointer? = nil, room: Int = 0, to file: AppendFile,
        of chunk: inout ParquetChunk, describe: (inout ThriftWriter) -> Void
    ) throws {
        let isDictionary = chunk.dictionaryOffset == file.end.length
        var pieces = join(rest, room)
        let size = pieces.first.count + pieces.second.count
        if compression != .none {
            try compress(pieces)
            pieces = (packed.bytes, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        var checksum = libdeflate_crc32(0, pieces.first.baseAddress, pieces.first.count)
        // Of nothing, the library begins anew.
        if !pieces.second.isEmpty {
            checksum = libdeflate_crc32(checksum, pieces.second.baseAddress, pieces.second.count)
        }
        let written = pieces.first.count + pieces.second.count
        let header = ThriftWriter { header in
            header.int32(1, isDictionary ? 2 : 0)
            header.int32(2, size)
            header.int32(3, written)
            header.int32(4, Int(Int32(bitPattern: checksum)))
            describe(&header)
        }
        try header.bytes.withUnsafeBytes { try file.append($0) }
        try file.append(pieces.first)
        try file.append(pieces.second)
        chunk.rawSize += header.bytes.count + size
        chunk.size += header.bytes.count + written
    }

    /// - Returns: the head and what follows it: in the first piece all of it, if possible.
    private mutating func join(
        _ rest: UnsafeMutableRawBufferPointer?, _ room: Int
    ) -> (first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer) {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let rest, let start = rest.baseAddress, !rest.isEmpty else { return (head.bytes, nothing) }
        if head.count <= room {
            let page = start - head.count
            page.copyMemory(from: head.base, byteCount: head.count)
            return (UnsafeRawBufferPointer(start: page, count: head.count + rest.count), nothing)
        }
        guard rest.count <= Self.copied else { return (head.bytes, UnsafeRawBufferPointer(rest)) }
        head.append(UnsafeRawBufferPointer(rest))
        return (head.bytes, nothing)
    }

    private mutating func compress(_ pieces: (first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer)) throws {
        packed.count = 0
        // Pages have a checksum of their own.
        var compressor =
            try self.compressor.take()
            ?? Compressor(compression, level: Self.level(of: compression), hasChecksum: false, isFarsighted: true)
        if pieces.second.isEmpty {
            try compressor.writeWhole(pieces.first, to: &packed)
        } else {
            try compressor.write(pieces.first) { packed.append($0) }
            try compressor.writeWhole(pieces.second) { packed.append($0) }
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

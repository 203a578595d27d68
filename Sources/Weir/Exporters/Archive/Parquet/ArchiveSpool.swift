/// What a Parquet file is made of, while it is collected: records one behind the other, compressed as they come. A
/// Parquet file cannot be cut back to where it was, nor does it survive a crash half-written; this can, and needs not.
enum ArchiveSpool {
    /// A record's header: its length, its sequence, when it was received.
    static let headerSize = 20

    static func append(_ payload: UnsafeRawBufferPointer, of record: (UInt64, Timestamp), to bytes: inout [UInt8]) {
        add(UInt32(truncatingIfNeeded: payload.count), to: &bytes)
        add(record.0, to: &bytes)
        add(record.1.nanoseconds, to: &bytes)
        bytes.append(contentsOf: payload)
    }

    /// What is appended to the file: compressed records with both lengths in front.
    static func chunk(_ records: Int, compressed: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(compressed.count + 16)
        add(UInt64(compressed.count), to: &bytes)
        add(UInt64(records), to: &bytes)
        return bytes + compressed
    }

    /// Calls `body` with every record, decoded into `batch`.
    /// - Throws: a `FileError` where the file cannot be read, or is not what was written.
    static func read(
        _ path: String, length: Int, _ keys: (any FileKeys)? = nil, into batch: inout Batch,
        _ body: (inout Batch, UInt64) throws -> Void
    ) throws {
        var reader = try FileReader(path, opening: keys)
        var inflater = try Inflater()
        defer { batch.reset(to: .empty) }
        var rest = length
        while rest > 0 {
            guard let head = try reader.next(16) else { throw FileError.damaged(path) }
            let sizes = head.withUnsafeBytes { ($0.load(as: Int.self), $0.load(fromByteOffset: 8, as: Int.self)) }
            guard (0...rest).contains(sizes.0), sizes.1 >= 0, let chunk = try reader.next(sizes.0) else {
                throw FileError.damaged(path)
            }
            rest -= 16 + sizes.0
            do {
                let records = try chunk.withUnsafeBytes { bytes in
                    try inflater.inflate(bytes, encoding: .zstd, limit: sizes.1)
                }
                try withExtendedLifetime(records) { try walk(records.bytes, into: &batch, path, body) }
            } catch is InflateError {
                throw FileError.damaged(path)
            }
        }
    }

    private static func walk(
        _ records: UnsafeRawBufferPointer, into batch: inout Batch, _ path: String,
        _ body: (inout Batch, UInt64) throws -> Void
    ) throws {
        var rest = records[...]
        while !rest.isEmpty {
            let bytes = UnsafeRawBufferPointer(rebasing: rest)
            guard bytes.count >= headerSize else { throw FileError.damaged(path) }
            let length = Int(bytes.loadUnaligned(as: UInt32.self))
            guard bytes.count >= headerSize + length else { throw FileError.damaged(path) }
            let payload = Payload.copying(UnsafeRawBufferPointer(rebasing: bytes[headerSize..<headerSize + length]))
            try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
            batch.receivedAt = Timestamp(nanoseconds: bytes.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
            try body(&batch, bytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
            rest = rest.dropFirst(headerSize + length)
        }
    }

    private static func add(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }
}

/// Reads the messages in a file of an archive, of OTLP/JSON or protobuf.
struct ArchiveFileReader {
    private static let piece = 1 << 20
    /// Bytes of a message: offsets in a batch have 31 bits. No receiver takes so many.
    private static let maxMessage = 1 << 30
    /// Somebody else may have written the file, and each level takes some of the stack. No receiver allows so many.
    static let maxValueDepth = 256

    private let path: String
    private let format: ArchiveFormat
    private let compression: Compression
    private let keys: ArchiveKeys?

    /// By what its name ends in; nil where that is no such file.
    /// - Parameter keys: of a file that is sealed.
    init?(_ path: String, _ keys: ArchiveKeys? = nil) {
        self.keys = keys
        let name = path.hasSuffix(ArchiveKeys.suffix) ? String(path.dropLast(ArchiveKeys.suffix.count)) : path
        for format in [ArchiveFormat.json, .proto] {
            for compression in Compression.allCases where name.hasSuffix(format.suffix(compression)) {
                self.path = path
                self.format = format
                self.compression = compression
                return
            }
        }
        return nil
    }

    /// Calls `body` with each message, decoded into `batch`. Memory is bounded by the longest of them.
    /// - Throws: a `FileError` also where the file is not whole.
    func read(into batch: inout Batch, _ body: (inout Batch) throws -> Void) throws {
        try readFramed(into: &batch) { batch, _ in try body(&batch) }
    }

    /// The same with the message as it stands in the file, with what separates it from others.
    func readFramed(
        into batch: inout Batch, _ body: (inout Batch, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var file = try FileReader(path, opening: keys)
        var decompressor = try Decompressor(compression)
        var pending = RecordBuffer<UInt8>(capacity: Self.piece, limit: .max)
        while true {
            let bytes = try file.next(upTo: Self.piece)
            guard !bytes.isEmpty else { break }
            do {
                try bytes.withUnsafeBytes { try decompressor.read($0) { pending.append($0) } }
            } catch is InflateError {
                throw FileError.damaged(path)
            }
            try take(from: &pending, into: &batch, body)
        }
        guard pending.isEmpty, !decompressor.isInside else { throw FileError.damaged(path) }
    }

    /// All messages that are whole; the rest stays.
    private func take(
        from pending: inout RecordBuffer<UInt8>, into batch: inout Batch,
        _ body: (inout Batch, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var rest = pending.bytes
        while true {
            let start = rest
            guard let message = next(&rest) else { break }
            guard message.count <= Self.maxMessage else { throw FileError.damaged(path) }
            let framed = UnsafeRawBufferPointer(rebasing: start[..<(start.count - rest.count)])
            let payload = Payload.copying(message)
            do {
                if format == .json {
                    try OTLPJSONDecoder(maxValueDepth: Self.maxValueDepth).decode(payload, into: &batch)
                } else {
                    try OTLPDecoder(maxValueDepth: Self.maxValueDepth).decode(payload, into: &batch)
                }
            } catch {
                throw FileError.damaged(path)
            }
            // Every span in it was taken once. What is left out here would be missing from what the file becomes.
            guard batch.rejected.count == 0 else { throw FileError.damaged(path) }
            try body(&batch, framed)
        }
        let left = rest.count
        guard left < pending.count else { return }
        var kept = RecordBuffer<UInt8>(capacity: max(Self.piece, left), limit: .max)
        kept.append(rest)
        pending = kept
    }

    private func next(_ rest: inout UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let start: Int
        let end: Int
        let after: Int
        switch format {
        case .json:
            guard let line = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            (start, end, after) = (0, line, line + 1)
        case .proto, .parquet:
            guard rest.count >= 4 else { return nil }
            let length = Int(UInt32(bigEndian: rest.loadUnaligned(as: UInt32.self)))
            guard rest.count - 4 >= length else { return nil }
            (start, end, after) = (4, 4 + length, 4 + length)
        }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[after...]) }
        return UnsafeRawBufferPointer(rebasing: rest[start..<end])
    }
}

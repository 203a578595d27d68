import CLibraries

/// Compresses a stream of bytes in pieces, for files that `gzip -dc` and `zstd -dc` read.
///
/// `finish` ends a gzip member or zstd frame, and the next `write` begins another; a file may hold several.
struct Compressor: ~Copyable {
    private enum Codec {
        case none
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    let compression: Compression
    private let codec: Codec
    /// What the libraries write into before it is handed on. zstd's own recommendation is 128 KiB.
    private let room: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - level: within ``Compression/levels``; the format's default if nil.
    ///   - hasChecksum: whether zstd's frames have one; gzip's members always do.
    ///   - isFarsighted: whether zstd looks for what repeats in the last 4 MiB, as prompts do, whatever the level.
    ///   - room: bytes that are handed on at most at once. What is written whole and fits in there compressed, whatever
    ///     it is, is not copied before.
    init(
        _ compression: Compression, level: Int? = nil, hasChecksum: Bool = true, isFarsighted: Bool = false,
        room bytes: Int = 128 << 10
    ) throws(CompressorError) {
        self.compression = compression
        let level = Int32(level ?? compression.defaultLevel)
        precondition(compression.levels.contains(Int(level)), "\(compression) has no level \(level)")
        switch compression {
        case .none: codec = .none
        case .gzip: codec = .gzip(try Self.makeGzip(level))
        case .zstd: codec = .zstd(try Self.makeZstd(level, hasChecksum, isFarsighted))
        }
        room = .allocate(byteCount: compression == .none ? 0 : bytes, alignment: 16)
    }

    deinit {
        switch codec {
        case .none: break
        case .gzip(let stream):
            deflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeCCtx(context)
        }
        room.deallocate()
    }

    /// Compresses `bytes`, handing what is ready to `sink`, in order, zero or more times.
    ///
    /// - Throws: ``CompressorError``, or what `sink` throws. What the sink did not take is gone, so the file is spoilt
    ///   and the compressor with it.
    mutating func write(_ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard !bytes.isEmpty else { return }
        switch codec {
        case .none: try sink(bytes)
        case .gzip(let stream): try writeGzip(stream, bytes, into: sink)
        case .zstd(let context): try run(context, bytes, ZSTD_e_continue, into: sink)
        }
    }

    /// Hands on everything that is still held back, and what ends the member or frame.
    mutating func finish(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        switch codec {
        case .none: break
        case .gzip(let stream):
            try run(stream, nothing, Z_FINISH, into: sink)
            deflateReset(stream)
        case .zstd(let context): try run(context, nothing, ZSTD_e_end, into: sink)
        }
    }

    /// Compresses `bytes` as a member or frame of their own. zstd makes less of a few bytes when it knows that no more
    /// come.
    mutating func writeWhole(
        _ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if case .zstd(let context) = codec { return try run(context, bytes, ZSTD_e_end, into: sink) }
        try write(bytes, into: sink)
        try finish(into: sink)
    }

    /// The same, behind what `buffer` holds, with memory for the most that may come of it: so zstd copies nothing, and
    /// is a third faster.
    mutating func writeWhole(_ bytes: UnsafeRawBufferPointer, to buffer: inout RecordBuffer<UInt8>) throws {
        guard case .zstd(let context) = codec else { return try writeWhole(bytes) { buffer.append($0) } }
        let most = ZSTD_compressBound(bytes.count)
        buffer.expect(buffer.count + most)
        let made = ZSTD_compress2(context, buffer.base + buffer.count, most, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(made) == 0 else {
            throw CompressorError(description: "zstd: \(String(cString: ZSTD_getErrorName(made)))")
        }
        buffer.count += made
    }
}

/// The compression library failed, which it does for want of memory only.
struct CompressorError: Error, Equatable, CustomStringConvertible {
    let description: String
}

// MARK: - gzip

extension Compressor {
    private static func makeGzip(_ level: Int32) throws(CompressorError) -> UnsafeMutablePointer<z_stream> {
        // zlib keeps the stream's address, so it must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // zlib.h: "Add 16 to windowBits to write a simple gzip header and trailer".
        let result = deflateInit2_(
            stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            stream.deallocate()
            throw CompressorError(description: "gzip: zlib error \(result)")
        }
        return stream
    }

    /// zlib counts a piece in 32 bits, so a longer one goes in slices.
    private func writeGzip(
        _ stream: UnsafeMutablePointer<z_stream>, _ bytes: UnsafeRawBufferPointer,
        into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 << 30)
            try run(stream, UnsafeRawBufferPointer(rebasing: piece), Z_NO_FLUSH, into: sink)
            rest = rest.dropFirst(piece.count)
        }
    }

    private func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ bytes: UnsafeRawBufferPointer, _ flush: Int32,
        into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        // zlib only reads through `next_in`, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        repeat {
            stream.pointee.next_out = room.assumingMemoryBound(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            let result = deflate(stream, flush)
            // Z_BUF_ERROR is no error: there was nothing left to do.
            guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                throw CompressorError(description: "gzip: zlib error \(result)")
            }
            let made = room.count - Int(stream.pointee.avail_out)
            if made > 0 { try sink(UnsafeRawBufferPointer(rebasing: room[..<made])) }
        } while stream.pointee.avail_out == 0
    }
}

// MARK: - zstd

extension Compressor {
    private static func makeZstd(
        _ level: Int32, _ hasChecksum: Bool, _ isFarsighted: Bool
    ) throws(CompressorError) -> OpaquePointer {
        guard let context = ZSTD_createCCtx() else {
            throw CompressorError(description: "zstd: no memory")
        }
        var parameters = [(ZSTD_c_compressionLevel, level), (ZSTD_c_checksumFlag, hasChecksum ? 1 : 0)]
        // A larger table would find more, but does not fit the fastest cache: it takes twice the time.
        if isFarsighted { parameters += [(ZSTD_c_windowLog, 22), (ZSTD_c_hashLog, 15)] }
        for (parameter, value) in parameters {
            let result = ZSTD_CCtx_setParameter(context, parameter, value)
            guard ZSTD_isError(result) == 0 else {
                ZSTD_freeCCtx(context)
                throw CompressorError(description: "zstd: \(String(cString: ZSTD_getErrorName(result)))")
            }
        }
        return context
    }

    private func run(
        _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective,
        into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
            let left = ZSTD_compressStream2(context, &output, &input, directive)
            guard ZSTD_isError(left) == 0 else {
                throw CompressorError(description: "zstd: \(String(cString: ZSTD_getErrorName(left)))")
            }
            if output.pos > 0 { try sink(UnsafeRawBufferPointer(rebasing: room[..<output.pos])) }
            // With `end`, 0 means that the frame is complete; with `continue`, the input must be used up.
            if directive == ZSTD_e_end ? left == 0 : input.pos == input.size { return }
        }
    }
}

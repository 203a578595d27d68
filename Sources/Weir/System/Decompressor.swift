import CLibraries

/// Reads what ``Compressor`` wrote, and whatever else `gzip -dc` and `zstd -dc` read, in pieces of any size. Memory
/// does not grow with what is read.
struct Decompressor: ~Copyable {
    /// Of frames as they are read: 128 MiB, which every level of the command line tool stays below.
    private static let zstdWindowLog: Int32 = 27

    private enum Codec {
        case none
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    private let codec: Codec
    private let room: UnsafeMutableRawBufferPointer
    /// Whether a frame or member has begun and not ended.
    private(set) var isInside = false

    init(_ compression: Compression) throws(InflateError) {
        switch compression {
        case .none: codec = .none
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // zlib.h: "Add 16 to decode only the gzip format".
            guard inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                stream.deallocate()
                throw .outOfMemory
            }
            codec = .gzip(stream)
        case .zstd:
            guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
            _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.zstdWindowLog)
            codec = .zstd(context)
        }
        room = .allocate(byteCount: compression == .none ? 0 : 128 * 1_024, alignment: 16)
    }

    deinit {
        switch codec {
        case .none: break
        case .gzip(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeDCtx(context)
        }
        room.deallocate()
    }

    /// Decodes `bytes`, handing what comes of them to `sink`, in order, zero or more times.
    mutating func read(_ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard !bytes.isEmpty else { return }
        switch codec {
        case .none: try sink(bytes)
        case .gzip(let stream): try readGzip(stream, bytes, into: sink)
        case .zstd(let context): try readZstd(context, bytes, into: sink)
        }
    }

    private mutating func readGzip(
        _ stream: UnsafeMutablePointer<z_stream>, _ bytes: UnsafeRawBufferPointer,
        into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        precondition(bytes.count < 1 << 30, "a piece that zlib cannot count")
        // zlib only reads through `next_in`, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        repeat {
            isInside = true
            stream.pointee.next_out = room.assumingMemoryBound(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            let result = inflate(stream, Z_NO_FLUSH)
            let made = room.count - Int(stream.pointee.avail_out)
            if made > 0 { try sink(UnsafeRawBufferPointer(rebasing: room[..<made])) }
            switch result {
            case Z_OK: continue
            case Z_BUF_ERROR: return
            case Z_STREAM_END:
                // RFC 1952 2.2: members "simply appear one after another in the file".
                inflateReset(stream)
                isInside = false
            case Z_MEM_ERROR: throw InflateError.outOfMemory
            default: throw InflateError.corrupt("not sound gzip data")
            }
        } while stream.pointee.avail_in > 0 || (isInside && stream.pointee.avail_out == 0)
    }

    private mutating func readZstd(
        _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer,
        into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
            let left = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(left) == 0 else {
                throw InflateError.corrupt("not sound zstd data: \(String(cString: ZSTD_getErrorName(left)))")
            }
            if output.pos > 0 { try sink(UnsafeRawBufferPointer(rebasing: room[..<output.pos])) }
            isInside = left != 0
            // A full room may not be all that there is, but behind the end of a frame there is nothing: the library
            // would begin another.
            if input.pos == input.size, left == 0 || output.pos < output.size { return }
        }
    }
}

import CLibraries

/// Decodes request bodies into payloads. Each event loop owns one, so that the libraries' tables are allocated once.
///
/// However a body is made, no more than one and a half times its limit plus a constant is allocated at once, and no
/// more than the limit written to. Room starts from what the body says of itself, believed only as far as 64 KiB or 16
/// times its own length, and doubles; above half the limit it becomes the limit at once, so that copying old room to
/// new never moves more than half of it.
struct Inflater: ~Copyable {
    /// Gzip members or zstd frames in one body. Each costs time of its own, even when it holds nothing.
    static let maxFrames = 4_096

    /// RFC 9659 makes 8 MiB the largest window of the `zstd` content coding.
    private static let zstdWindowLog: Int32 = 23

    private let deflate: OpaquePointer
    private let zstd: OpaquePointer

    init() throws(InflateError) {
        guard let deflate = libdeflate_alloc_decompressor() else { throw .outOfMemory }
        guard let zstd = ZSTD_createDCtx() else {
            libdeflate_free_decompressor(deflate)
            throw .outOfMemory
        }
        // Fails only for a value that the library does not know, which a test would show.
        _ = ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Self.zstdWindowLog)
        self.deflate = deflate
        self.zstd = zstd
    }

    deinit {
        libdeflate_free_decompressor(deflate)
        ZSTD_freeDCtx(zstd)
    }

    /// Decodes the whole of `body`. Exactly `limit` decoded bytes pass, one more is `tooLarge`.
    ///
    /// A coded body of no bytes is `corrupt` and not an empty request: something cut it off, and answering 200 would
    /// lose what it was.
    mutating func inflate(
        _ body: UnsafeRawBufferPointer, encoding: ContentEncoding, limit: Int
    ) throws(InflateError) -> Payload {
        precondition(limit >= 0, "a negative limit")
        if encoding == .identity {
            guard body.count <= limit else { throw .tooLarge(limit: limit) }
            return Payload.copying(body)
        }
        guard !body.isEmpty else { throw .corrupt("the \(encoding) body is empty") }
        switch encoding {
        case .identity, .gzip: return try inflateGzip(body, limit: limit)
        case .deflate: return try inflateZlib(body, limit: limit)
        case .zstd: return try inflateZstd(body, limit: limit)
        }
    }

    /// Room to start with: what the body claims to hold, as far as it is believable.
    private static func room(claimed: Int, body: Int, limit: Int) -> Int {
        capped(min(claimed, max(65_536, body * 16)), limit)
    }

    private static func doubled(_ room: Int, limit: Int) -> Int {
        capped(room * 2, limit)
    }

    private static func capped(_ room: Int, _ limit: Int) -> Int {
        room > limit / 2 ? limit : min(limit, max(4_096, room))
    }
}

// MARK: - gzip and deflate

extension Inflater {
    /// RFC 1952 2.2: "A gzip file consists of a series of "members"", which "simply appear one after another".
    private func inflateGzip(_ body: UnsafeRawBufferPointer, limit: Int) throws(InflateError) -> Payload {
        // ISIZE: the length of the last member, modulo 2^32.
        let claimed =
            body.count < 4
            ? 0 : UInt32(littleEndian: body.loadUnaligned(fromByteOffset: body.count - 4, as: UInt32.self))
        var output = PayloadBuilder(capacity: Self.room(claimed: Int(claimed), body: body.count, limit: limit))
        var rest = body
        var members = 0
        while !rest.isEmpty {
            members += 1
            guard members <= Self.maxFrames else { throw .corrupt("more than \(Self.maxFrames) gzip members") }
            let used = try inflateMember(
                rest, into: &output, limit: limit, name: "gzip", decoder: libdeflate_gzip_decompress_ex)
            rest = UnsafeRawBufferPointer(rebasing: rest[used...])
        }
        return output.finish()
    }

    /// RFC 9110 8.4.1.2: "The "deflate" coding is a "zlib" data format containing a "deflate" compressed data stream".
    private func inflateZlib(_ body: UnsafeRawBufferPointer, limit: Int) throws(InflateError) -> Payload {
        // The format does not say how much it holds; three to four times is usual.
        var output = PayloadBuilder(capacity: Self.room(claimed: body.count * 4, body: body.count, limit: limit))
        let used = try inflateMember(
            body, into: &output, limit: limit, name: "deflate", decoder: libdeflate_zlib_decompress_ex)
        guard used == body.count else {
            throw .corrupt("\(body.count - used) bytes follow the end of the deflate body")
        }
        return output.finish()
    }

    private typealias Decoder = (
        OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int,
        UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Int>?
    ) -> libdeflate_result

    /// Appends one member to `output` and returns how many bytes of `body` it took. The library decodes in one shot, so
    /// a member that does not fit is decoded again into twice the room; that costs at most as much as it saved.
    private func inflateMember(
        _ body: UnsafeRawBufferPointer, into output: inout PayloadBuilder, limit: Int, name: String, decoder: Decoder
    ) throws(InflateError) -> Int {
        while true {
            var used = 0
            var made = 0
            let room = output.unused
            let result = decoder(
                deflate, body.baseAddress, body.count, room.baseAddress, room.count, &used, &made)
            switch result {
            case LIBDEFLATE_SUCCESS:
                output.count += made
                return used
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                guard output.capacity < limit else { throw .tooLarge(limit: limit) }
                output.reserve(Self.doubled(output.capacity, limit: limit))
            default:
                throw .corrupt("the body is not sound \(name) data, or ends too early")
            }
        }
    }
}

// MARK: - zstd

extension Inflater {
    /// RFC 8878 3: "Zstandard compressed data is made up of one or more frames", whose contents are concatenated.
    ///
    /// Room is for one byte more than the limit, because a full buffer alone does not tell whether the frame ends
    /// there.
    private func inflateZstd(_ body: UnsafeRawBufferPointer, limit: Int) throws(InflateError) -> Payload {
        ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only)
        let room = Self.room(claimed: claimedSize(body), body: body.count, limit: limit + 1)
        var output = PayloadBuilder(capacity: room)
        var input = ZSTD_inBuffer(src: body.baseAddress, size: body.count, pos: 0)
        var frames = 0
        while input.pos < input.size {
            frames += 1
            guard frames <= Self.maxFrames else { throw .corrupt("more than \(Self.maxFrames) zstd frames") }
            try inflateFrame(&input, into: &output, limit: limit)
        }
        guard output.count <= limit else { throw .tooLarge(limit: limit) }
        return output.finish()
    }

    private func inflateFrame(
        _ input: inout ZSTD_inBuffer, into output: inout PayloadBuilder, limit: Int
    ) throws(InflateError) {
        while true {
            if output.count == output.capacity {
                guard output.capacity <= limit else { throw .tooLarge(limit: limit) }
                output.reserve(Self.doubled(output.capacity, limit: limit + 1))
            }
            let room = output.unused
            var made = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
            let result = ZSTD_decompressStream(zstd, &made, &input)
            output.count += made.pos
            if ZSTD_isError(result) != 0 { throw failure(result) }
            // "0 when a frame is completely decoded and fully flushed"; otherwise there is more of it to come.
            if result == 0 { return }
            let starved = input.pos == input.size && made.pos < made.size
            if starved { throw .corrupt("the zstd body ends inside a frame") }
        }
    }

    /// What the first frame says it holds; 0 if it does not say.
    private func claimedSize(_ body: UnsafeRawBufferPointer) -> Int {
        // The two largest values mean that the size is unknown or the header broken: they do not fit an Int.
        Int(exactly: ZSTD_getFrameContentSize(body.baseAddress, body.count)) ?? 0
    }

    private func failure(_ code: Int) -> InflateError {
        switch ZSTD_getErrorCode(code) {
        case ZSTD_error_memory_allocation: .outOfMemory
        case ZSTD_error_frameParameter_windowTooLarge: .corrupt("the zstd window is larger than 8 MiB")
        default: .corrupt("the body is not sound zstd data: \(String(cString: ZSTD_getErrorName(code)))")
        }
    }
}

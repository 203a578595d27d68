import CLibraries
import Foundation
import Testing

@testable import Weir

@Suite struct InflaterTests {
    static let coded: [ContentEncoding] = [.gzip, .deflate, .zstd]

    func inflate(_ body: [UInt8], _ encoding: ContentEncoding, limit: Int = 1 << 24) throws -> [UInt8] {
        var inflater = try Inflater()
        return try inflate(body, encoding, limit: limit, with: &inflater)
    }

    func inflate(
        _ body: [UInt8], _ encoding: ContentEncoding, limit: Int = 1 << 24, with inflater: inout Inflater
    ) throws -> [UInt8] {
        let payload = try body.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: limit) }
        return Array(payload.bytes)
    }

    /// Expects that the body is refused as corrupt, whatever the words.
    func expectCorrupt(_ body: [UInt8], _ encoding: ContentEncoding, _ comment: Comment) {
        do {
            _ = try inflate(body, encoding)
            Issue.record("was accepted: \(comment)")
        } catch InflateError.corrupt {
        } catch {
            Issue.record("\(error): \(comment)")
        }
    }

    @Test(arguments: coded) func keepsLittleMoreMemoryThanASmallBodyHasBytes(_ encoding: ContentEncoding) throws {
        var inflater = try Inflater()
        let body = try CompressedSample.encode(CompressedSample.text(100), encoding)
        let payload = try body.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: 1 << 24) }
        // Declared in malloc.h, which Swift's Glibc leaves out.
        typealias UsableSize = @convention(c) (UnsafeRawPointer) -> Int
        let symbol = try #require(dlsym(nil, "malloc_usable_size"))
        let room = withExtendedLifetime(payload) { unsafeBitCast(symbol, to: UsableSize.self)(payload.base) }
        #expect(room < 2 * payload.count + 256)
    }

    @Test(arguments: ContentEncoding.allCases) func givesBackWhatWasEncoded(_ encoding: ContentEncoding) throws {
        var inflater = try Inflater()
        for count in [0, 1, 17, 4_095, 4_096, 4_097, 100_000, 1_000_003] {
            let text = CompressedSample.text(count)
            let body = try CompressedSample.encode(text, encoding)
            #expect(try inflate(body, encoding, with: &inflater) == text, "\(count) bytes")
        }
    }

    @Test(arguments: ContentEncoding.allCases)
    func takesExactlyTheLimitAndNotOneByteMore(_ encoding: ContentEncoding) throws {
        for count in [1, 2, 100, 4_096, 65_536, 65_537, 1_000_000, 1 << 20] {
            let text = CompressedSample.text(count)
            let body = try CompressedSample.encode(text, encoding)
            #expect(try inflate(body, encoding, limit: count) == text)
            #expect(try inflate(body, encoding, limit: count + 1) == text)
            #expect(throws: InflateError.tooLarge(limit: count - 1)) {
                try inflate(body, encoding, limit: count - 1)
            }
        }
        #expect(try inflate(CompressedSample.encode([], encoding), encoding, limit: 0) == [])
    }

    @Test func takesExactlyTheLimitOfAZstdFrameThatSaysItsSize() throws {
        for count in [0, 1, 100, 4_096, 100_000, 5_000_000] {
            let text = CompressedSample.text(count)
            let body = CompressedSample.sizedZstd(text)
            #expect(try inflate(body, .zstd, limit: count) == text)
            guard count > 0 else { continue }
            #expect(throws: InflateError.tooLarge(limit: count - 1)) { try inflate(body, .zstd, limit: count - 1) }
        }
    }

    @Test(arguments: coded) func leavesZeroesBehindThePayload(_ encoding: ContentEncoding) throws {
        var inflater = try Inflater()
        let body = try CompressedSample.encode(CompressedSample.text(5_000), encoding)
        let payload = try body.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: 5_000) }
        let behind = UnsafeRawBufferPointer(start: payload.base + payload.count, count: 16)
        #expect(behind.allSatisfy { $0 == 0 })
    }

    @Test(arguments: coded) func refusesABodyCutAnywhere(_ encoding: ContentEncoding) throws {
        let body = try CompressedSample.encode(CompressedSample.text(300), encoding)
        for count in 0..<body.count {
            expectCorrupt(Array(body.prefix(count)), encoding, "\(count) of \(body.count) bytes")
        }
        #expect(throws: InflateError.corrupt("the \(encoding) body is empty")) { try inflate([], encoding) }
    }

    @Test(arguments: coded) func neverGivesWrongBytesForABrokenBody(_ encoding: ContentEncoding) throws {
        let text = CompressedSample.text(300)
        let body = try CompressedSample.encode(text, encoding)
        var refused = 0
        for index in body.indices {
            for bit in 0..<8 {
                var broken = body
                broken[index] ^= 1 << bit
                do {
                    // Some bits mean nothing, such as the time in gzip's header.
                    #expect(try inflate(broken, encoding, limit: 1 << 20) == text, "bit \(bit) of byte \(index)")
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > body.count * 7)
    }

    @Test(arguments: coded) func refusesWhatFollowsTheEnd(_ encoding: ContentEncoding) throws {
        let body = try CompressedSample.encode(CompressedSample.text(300), encoding)
        for garbage in [[0], Array("garbage after the end of the body".utf8), Array(body.prefix(body.count - 1))] {
            expectCorrupt(body + garbage, encoding, "\(garbage.count) bytes behind")
        }
    }

    @Test(arguments: [ContentEncoding.gzip, .zstd])
    func putsSeveralMembersTogetherUnderOneLimit(_ encoding: ContentEncoding) throws {
        let parts = [300, 0, 70_000, 1, 5_000].map(CompressedSample.text)
        let body = try parts.flatMap { try CompressedSample.encode($0, encoding) }
        let whole = parts.flatMap { $0 }
        #expect(try inflate(body, encoding, limit: whole.count) == whole)
        #expect(throws: InflateError.tooLarge(limit: whole.count - 1)) {
            try inflate(body, encoding, limit: whole.count - 1)
        }
        let withEmptyEnd = try body + CompressedSample.encode([], encoding)
        #expect(try inflate(withEmptyEnd, encoding, limit: whole.count) == whole)
    }

    @Test func refusesASecondDeflateStream() throws {
        let body = CompressedSample.zlib(CompressedSample.text(300))
        #expect(throws: InflateError.corrupt("\(body.count) bytes follow the end of the deflate body")) {
            try inflate(body + body, .deflate)
        }
    }

    @Test(arguments: [ContentEncoding.gzip, .zstd])
    func refusesMoreMembersThanItsLimit(_ encoding: ContentEncoding) throws {
        let member = try CompressedSample.encode([], encoding)
        let most = Array(repeatElement(member, count: Inflater.maxFrames).joined())
        #expect(try inflate(most, encoding) == [])
        expectCorrupt(most + member, encoding, "one more than the limit")
    }

    @Test func refusesDeflateWithoutItsZlibWrapper() {
        let zlib = CompressedSample.zlib(CompressedSample.text(300))
        expectCorrupt(Array(zlib.dropFirst(2).dropLast(4)), .deflate, "raw deflate")
    }

    @Test(arguments: coded) func refusesAnotherCoding(_ encoding: ContentEncoding) throws {
        for other in ContentEncoding.allCases where other != encoding {
            let body = try CompressedSample.encode(CompressedSample.text(300), other)
            expectCorrupt(body, encoding, "\(other) body as \(encoding)")
        }
    }

    @Test func refusesAZstdWindowAboveEightMebibytes() throws {
        let text = CompressedSample.text(50_000)
        #expect(try inflate(CompressedSample.zstd(text, windowLog: 23), .zstd) == text)
        #expect(throws: InflateError.corrupt("the zstd window is larger than 8 MiB")) {
            try inflate(CompressedSample.zstd(text, windowLog: 24), .zstd)
        }
    }

    @Test func skipsAZstdSkippableFrame() throws {
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let text = CompressedSample.text(300)
        #expect(try inflate(skippable + CompressedSample.sizedZstd(text), .zstd) == text)
        expectCorrupt(Array(skippable.dropLast()), .zstd, "a skippable frame cut off")
    }

    @Test func refusesAZstdFrameThatNeedsADictionary() {
        // A header with a dictionary's id (1) in one byte and a content size of one byte, then an empty last block.
        expectCorrupt([0x28, 0xb5, 0x2f, 0xfd, 0x21, 1, 0, 1, 0, 0], .zstd, "a dictionary")
    }

    @Test func isAsGoodAsNewAfterABrokenBody() throws {
        var inflater = try Inflater()
        let text = CompressedSample.text(30_000)
        for encoding in Self.coded {
            let body = try CompressedSample.encode(text, encoding)
            for count in stride(from: 1, to: body.count, by: 1_000) {
                #expect(throws: InflateError.self) {
                    try inflate(Array(body.prefix(count)), encoding, with: &inflater)
                }
                #expect(throws: InflateError.tooLarge(limit: 500)) {
                    try inflate(body, encoding, limit: 500, with: &inflater)
                }
                #expect(try inflate(body, encoding, with: &inflater) == text)
            }
        }
    }

    @Test func readsWhatTheCommandLineToolsWrite() throws {
        let text = CompressedSample.text(200_000)
        #expect(try inflate(CompressedSample.run(["gzip", "-c"], input: text), .gzip, limit: text.count) == text)
        #expect(try inflate(CompressedSample.run(["zstd", "-c"], input: text), .zstd, limit: text.count) == text)
    }

    /// In a process of its own, where the peak of the memory is this test's.
    @Test func keepsMemoryBoundedDuringABomb() async {
        await #expect(processExitsWith: .success) {
            try InflaterTests.throwBombs()
        }
    }

    /// Bodies of 64 MiB of zeroes against limits of 1 and 16 MiB. The process may grow by one and a half times the
    /// limit, a zstd window and what the allocator keeps; a body decoded whole shows as 64 MiB at least.
    static func throwBombs() throws {
        let bombs: [(ContentEncoding, [UInt8])] = [
            (.gzip, try bomb(.gzip)), (.zstd, try bomb(.zstd)), (.deflate, zlibBomb(mebibytes: 64)),
        ]
        for mebibytes in [1, 16] {
            let limit = mebibytes << 20
            let before = try peakMemory()
            for (encoding, body) in bombs {
                var inflater = try Inflater()
                do {
                    _ = try body.withUnsafeBytes { try inflater.inflate($0, encoding: encoding, limit: limit) }
                    throw Unexpected(what: "the \(encoding) bomb passed")
                } catch InflateError.tooLarge {}
            }
            let growth = try peakMemory() - before
            guard growth < limit * 2 + (10 << 20) else {
                throw Unexpected(what: "memory grew by \(growth) bytes at a limit of \(limit)")
            }
        }
    }

    private static func bomb(_ compression: Compression) throws -> [UInt8] {
        let mebibyte = [UInt8](repeating: 0, count: 1 << 20)
        var body: [UInt8] = []
        var compressor = try Compressor(compression)
        for _ in 0..<64 {
            try mebibyte.withUnsafeBytes { try compressor.write($0) { body.append(contentsOf: $0) } }
        }
        try compressor.finish { body.append(contentsOf: $0) }
        return body
    }

    private struct Unexpected: Error {
        let what: String
    }

    /// gzip's deflate data in zlib's wrapper, with a checksum that nobody gets as far as to read.
    private static func zlibBomb(mebibytes: Int) -> [UInt8] {
        let zeroes = [UInt8](repeating: 0, count: 1 << 20)
        var stream = z_stream()
        deflateInit_(&stream, 6, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var body = [UInt8](repeating: 0, count: 1 << 20)
        body.withUnsafeMutableBufferPointer { room in
            stream.next_out = room.baseAddress
            stream.avail_out = UInt32(room.count)
            for index in 0..<mebibytes {
                zeroes.withUnsafeBufferPointer { source in
                    stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                    stream.avail_in = UInt32(source.count)
                    _ = deflate(&stream, index == mebibytes - 1 ? Z_FINISH : Z_NO_FLUSH)
                }
            }
        }
        return Array(body.prefix(Int(stream.total_out)))
    }

    /// Bytes of resident memory at the highest, from the kernel. (getrusage would count the parent process as well.)
    private static func peakMemory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) * 1_024
    }
}

import CLibraries
import Foundation

@testable import Weir

/// Bodies for the tests of the codecs, made with the libraries themselves.
enum CompressedSample {
    /// Text that compresses, but not to nothing.
    static func text(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var number = 0
        while bytes.count < count {
            bytes.append(contentsOf: "span \(number &* 2_654_435_761 % 100_003) of trace; ".utf8)
            number += 1
        }
        return Array(bytes.prefix(count))
    }

    /// In one member or frame, with the checksum of its format.
    static func encode(_ bytes: [UInt8], _ encoding: ContentEncoding) throws -> [UInt8] {
        switch encoding {
        case .identity: bytes
        case .gzip: try compress(bytes, .gzip)
        case .zstd: try compress(bytes, .zstd)
        case .deflate: zlib(bytes)
        }
    }

    static func compress(_ bytes: [UInt8], _ compression: Compression, level: Int? = nil) throws -> [UInt8] {
        var compressor = try Compressor(compression, level: level)
        var output: [UInt8] = []
        try bytes.withUnsafeBytes { try compressor.write($0) { output.append(contentsOf: $0) } }
        try compressor.finish { output.append(contentsOf: $0) }
        return output
    }

    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(UInt(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(length))
        compress2(&output, &length, bytes, UInt(bytes.count), 6)
        return Array(output.prefix(Int(length)))
    }

    /// A frame that says how much it holds.
    static func sizedZstd(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let length = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
        return Array(output.prefix(length))
    }

    /// A frame that asks for a window of `2^windowLog` bytes.
    static func zstd(_ bytes: [UInt8], windowLog: Int32) -> [UInt8] {
        let context = ZSTD_createCCtx()
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count) + 64)
        return output.withUnsafeMutableBytes { room in
            bytes.withUnsafeBytes { source in
                var made = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                // In two calls, so that the library cannot know the size and shrink the window to it.
                var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                _ = ZSTD_compressStream2(context, &made, &input, ZSTD_e_flush)
                _ = ZSTD_compressStream2(context, &made, &input, ZSTD_e_end)
                return Array(room[..<made.pos])
            }
        }
    }

    /// What a command writes when it reads `input`.
    static func run(_ command: [String], input: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID())")
        try Data(input).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = try FileHandle(forReadingFrom: file)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CommandFailed(status: process.terminationStatus) }
        return Array(output)
    }

    struct CommandFailed: Error {
        let status: Int32
    }
}

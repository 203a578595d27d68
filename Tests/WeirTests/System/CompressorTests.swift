import Testing

@testable import Weir

@Suite struct CompressorTests {
    /// Feeds `bytes` in pieces of the given size.
    func compress(_ bytes: [UInt8], _ compression: Compression, piece: Int, level: Int? = nil) throws -> [UInt8] {
        var compressor = try Compressor(compression, level: level)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let part = Array(bytes[start..<min(start + piece, bytes.count)])
            try part.withUnsafeBytes { try compressor.write($0) { output.append(contentsOf: $0) } }
        }
        try compressor.finish { output.append(contentsOf: $0) }
        return output
    }

    func decompress(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
        switch compression {
        case .none: bytes
        case .gzip: try CompressedSample.run(["gzip", "-dc"], input: bytes)
        case .zstd: try CompressedSample.run(["zstd", "-dc"], input: bytes)
        }
    }

    @Test(arguments: Compression.allCases) func writesWhatTheCommandLineToolsRead(_ compression: Compression) throws {
        for (count, piece) in [(0, 1), (1, 1), (5_000, 7), (300_000, 65_536), (3_000_000, 3_000_000)] {
            let text = CompressedSample.text(count)
            let output = try compress(text, compression, piece: piece)
            #expect(try decompress(output, compression) == text, "\(count) bytes in pieces of \(piece)")
        }
    }

    @Test(arguments: Compression.allCases) func takesEveryLevelItNames(_ compression: Compression) throws {
        let text = CompressedSample.text(20_000)
        for level in [compression.levels.lowerBound, compression.defaultLevel, compression.levels.upperBound] {
            let output = try compress(text, compression, piece: 4_096, level: level)
            #expect(try decompress(output, compression) == text)
            #expect(compression == .none || output.count < text.count / 2)
        }
    }

    @Test(arguments: Compression.allCases) func beginsAnotherFrameAfterItsEnd(_ compression: Compression) throws {
        let text = CompressedSample.text(10_000)
        var compressor = try Compressor(compression)
        var output: [UInt8] = []
        var lengths: [Int] = []
        for _ in 0..<3 {
            try text.withUnsafeBytes { try compressor.write($0) { output.append(contentsOf: $0) } }
            try compressor.finish { output.append(contentsOf: $0) }
            lengths.append(output.count)
        }
        #expect(lengths == [lengths[0], lengths[0] * 2, lengths[0] * 3])
        #expect(try decompress(output, compression) == text + text + text)
        #expect(try decompress(Array(output.prefix(lengths[0])), compression) == text)
    }

    @Test func writesAChecksumIntoZstdFrames() throws {
        let output = try compress(CompressedSample.text(1_000), .zstd, piece: 1_000)
        // RFC 8878 3.1.1.1.1: bit 2 of the frame header descriptor is the Content_Checksum_flag.
        #expect(output[4] & 0b100 != 0)
    }

    @Test(arguments: Compression.allCases) func passesOnWhatTheSinkThrows(_ compression: Compression) throws {
        struct DiskFull: Error {}
        var compressor = try Compressor(compression)
        let text = CompressedSample.text(1_000)
        #expect(throws: DiskFull.self) {
            try text.withUnsafeBytes { try compressor.write($0) { _ in throw DiskFull() } }
            try compressor.finish { _ in throw DiskFull() }
        }
    }

    @Test func namesFilesAsTheToolsDo() {
        #expect(Compression.allCases.map(\.suffix) == ["", ".gz", ".zst"])
    }
}

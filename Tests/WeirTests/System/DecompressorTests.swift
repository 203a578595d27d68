import Testing

@testable import Weir

struct DecompressorTests {
    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }

    @Test(arguments: Compression.allCases, [1, 7, 4_096, 1 << 20])
    func readsWhatACompressorWroteInPiecesOfAnySize(compression: Compression, size: Int) throws {
        let bytes = try compressed(compression)
        var decompressor = try Decompressor(compression)
        var found: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            try piece.withUnsafeBytes { try decompressor.read($0) { found.append(contentsOf: $0) } }
        }
        #expect(found == content)
        let isInside = decompressor.isInside
        #expect(!isInside)
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func knowsThatMoreHasToCome(compression: Compression) throws {
        let bytes = Array(try compressed(compression).dropLast(20))
        var decompressor = try Decompressor(compression)
        try bytes.withUnsafeBytes { try decompressor.read($0) { _ in } }
        let isInside = decompressor.isInside
        #expect(isInside)
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func refusesWhatWasChanged(compression: Compression) throws {
        var bytes = try compressed(compression)
        bytes[bytes.count / 2] ^= 0x10
        var decompressor = try Decompressor(compression)
        #expect(throws: InflateError.self) {
            try bytes.withUnsafeBytes { try decompressor.read($0) { _ in } }
        }
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func passesOverTheFooterOfAnArchive(compression: Compression) throws {
        let footer = ArchiveFooter.bytes(
            ArchivedSpans(of: 1, spans: 1), of: JournalID(value: 7), compression)
        var decompressor = try Decompressor(compression)
        let bytes = try compressed(compression) + footer
        var count = 0
        try bytes.withUnsafeBytes { try decompressor.read($0) { count += $0.count } }
        let isInside = decompressor.isInside
        #expect(count == content.count && !isInside)
    }

    @Test(arguments: Compression.allCases, [128 << 10, 256 << 10])
    func knowsTheEndWhereItFillsTheRoom(compression: Compression, size: Int) throws {
        var compressor = try Compressor(compression)
        var bytes: [UInt8] = []
        try Array(content.prefix(size)).withUnsafeBytes {
            try compressor.writeWhole($0) { bytes.append(contentsOf: $0) }
        }
        var decompressor = try Decompressor(compression)
        var count = 0
        try bytes.withUnsafeBytes { try decompressor.read($0) { count += $0.count } }
        let isInside = decompressor.isInside
        #expect(count == size && !isInside)
    }

    /// In several frames or members.
    private func compressed(_ compression: Compression) throws -> [UInt8] {
        var compressor = try Compressor(compression)
        var bytes: [UInt8] = []
        for part in [content[..<10], content[10..<200_000], content[200_000...]] {
            try Array(part).withUnsafeBytes { try compressor.writeWhole($0) { bytes.append(contentsOf: $0) } }
        }
        return bytes
    }
}

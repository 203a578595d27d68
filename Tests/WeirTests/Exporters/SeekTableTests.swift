import Testing

@testable import Weir

@Suite struct SeekTableTests {
    @Test(arguments: [ArchiveFormat.json, .proto]) func eachFrameIsFoundByIt(format: ArchiveFormat) async throws {
        let archive = try ArchiveSample("format: \(format.rawValue)")
        for first in [1, 4, 9] as [UInt64] { try await archive.export(SampleBatch.batch(first...first + 2)) }
        await archive.exporter.finish()
        let file = try #require(archive.published.first)
        let bytes = try archive.directory.contents(of: file)
        let frames = try frames(of: bytes)
        #expect(frames.count == 4 && frames.last?.content == 0)
        var found: [UInt8] = []
        var start = 0
        for frame in frames {
            var decompressor = try Decompressor(.zstd)
            let before = found.count
            try bytes[start..<start + frame.compressed].withUnsafeBytes { bytes in
                try decompressor.read(bytes) { found += $0 }
            }
            #expect(found.count - before == frame.content && !decompressor.isInside)
            start += frame.compressed
        }
        #expect(found == (try ArchiveReader.contents(of: file, of: archive.directory)))
    }

    @Test func whatIsTakenBackIsNotInIt() {
        var table = SeekTable()
        table.append(compressed: 10, content: 20)
        let before = table.bytes(after: 5)
        table.append(compressed: 30, content: 40)
        table.cut(to: 1)
        #expect(table.count == 1 && table.bytes(after: 5) == before)
        table.cut(to: 0)
        #expect(table.bytes(after: 5) == [])
    }

    @Test func aFileOfTooManyFramesHasNone() {
        var table = SeekTable()
        for _ in 0..<SeekTable.maximumFrames { table.append(compressed: 1, content: 1) }
        let length = table.bytes(after: 5).count
        #expect(length == (SeekTable.maximumFrames + 1) * SeekTable.entryLength + 17)
        table.append(compressed: 1, content: 1)
        #expect(table.bytes(after: 5) == [])
        table.cut(to: SeekTable.maximumFrames)
        #expect(table.bytes(after: 5).count == length)
    }

    @Test func mergedFilesHaveOne() async throws {
        let archive = try ArchiveSample("format: otlp_proto")
        for first in [1, 4] as [UInt64] {
            try await archive.export(SampleBatch.batch(first...first + 2))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        #expect(try ArchiveContents.compact(archive.directory.path, rules, nil, at: later).merged == 2)
        let file = try #require(archive.published.first)
        let frames = try frames(of: archive.directory.contents(of: file))
        let whole = try ArchiveReader.contents(of: file, of: archive.directory)
        #expect(frames.map(\.content).reduce(0, +) == whole.count)
    }

    /// As the format says: from the end.
    private func frames(of file: [UInt8]) throws -> [(compressed: Int, content: Int)] {
        func number(_ at: Int) -> Int {
            file[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let end = file.count
        try #require(number(end - 4) == 0x8F92_EAB1 && file[end - 5] == 0)
        let count = number(end - 9)
        let start = end - 9 - count * 8
        #expect(number(start - 8) == 0x184D_2A5E && number(start - 4) == end - start)
        let frames = (0..<count).map { (compressed: number(start + $0 * 8), content: number(start + $0 * 8 + 4)) }
        #expect(frames.map(\.compressed).reduce(0, +) == start - 8)
        return frames
    }
}

import Foundation
import Testing

@testable import Weir

@Suite struct LineFileTests {
    private let directory: TemporaryDirectory
    private let file: LineFile

    init() throws {
        directory = try TemporaryDirectory()
        file = LineFile("file", in: directory.path)
    }

    @Test func growsAtItsEnd() throws {
        #expect(try file.append(Array("one\n".utf8)) == 4)
        #expect(try file.append(Array("two\n".utf8)) == 8)
        #expect(try text() == "one\ntwo\n")
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? Int ?? 0) & ~0o640 == 0)
    }

    @Test func doesNotGrowBeyondWhatIsAllowed() throws {
        try file.append(Array("one\n".utf8))
        #expect(try file.append(Array("two\n".utf8), where: { $0 <= 7 }) == nil)
        #expect(try text() == "one\n")
        #expect(try file.append(Array("two\n".utf8), where: { $0 <= 8 }) == 8)
    }

    @Test(arguments: [0, 1, 100_000, 200_000])
    func cutsOffALineThatACrashLeftUnfinished(length: Int) throws {
        let rest = String(repeating: "x", count: length)
        try Data("one\n\(rest)".utf8).write(to: URL(fileURLWithPath: file.path))
        #expect(try file.repair() == 4)
        try Data("one\n\(rest)".utf8).write(to: URL(fileURLWithPath: file.path))
        try file.append(Array("two\n".utf8))
        #expect(try text() == "one\ntwo\n")
    }

    @Test func isEmptyWhereNoLineWasFinished() throws {
        try Data("one".utf8).write(to: URL(fileURLWithPath: file.path))
        #expect(try file.repair() == 0)
        #expect(try LineFile("none", in: directory.path).repair() == 0)
        #expect(!Directory.has(directory.path + "/none"))
    }

    @Test func isReadLineByLineFromAnyLineOn() throws {
        let lines = (0..<2_000).map { String(repeating: "y", count: $0 * 7 % 1_500) + "\n" }
        try file.append(Array(lines.joined().utf8))
        try FileHandle(forWritingTo: URL(fileURLWithPath: file.path)).closeAfter { handle in
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("not a line".utf8))
        }
        var reader = try LineReader(file.path, from: lines[0].utf8.count)
        var read: [String] = []
        var offsets: [Int] = []
        while let line = try reader.next({ String(decoding: $0, as: UTF8.self) }) {
            read.append(line)
            offsets.append(reader.offset)
        }
        #expect(read == Array(lines.dropFirst()))
        #expect(offsets.last == lines.joined().utf8.count)
    }

    @Test(.enabled(if: SmallDisk.isAllowed)) func isAsBeforeWhenTheDiskIsFull() throws {
        let disk = try SmallDisk()
        let file = LineFile("file", in: disk.directory.path)
        try file.append(Array("one\n".utf8))
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 2 << 20) + [UInt8(ascii: "\n")]
        let error = #expect(throws: FileError.self) { try file.append(large) }
        #expect(error?.code == ENOSPC)
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "one\n")
        #expect(try file.append(Array("two\n".utf8)) == 8)
    }

    @Test func locksOthersOutUntilItIsGone() throws {
        let path = directory.path + "/lock"
        var lock = try FileLock.take(path, waits: false)
        #expect(lock != nil)
        #expect(try FileLock.take(path, waits: false) == nil)
        lock = nil
        #expect(try FileLock.take(path, waits: true) != nil)
    }

    private func text() throws -> String {
        String(decoding: try directory.contents(of: "file"), as: UTF8.self)
    }
}

extension FileHandle {
    fileprivate func closeAfter(_ body: (FileHandle) throws -> Void) throws {
        try body(self)
        try close()
    }
}

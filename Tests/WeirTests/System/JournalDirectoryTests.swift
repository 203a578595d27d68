import Foundation
import Testing

@testable import Weir

@Suite struct JournalDirectoryTests {
    private let directory: TemporaryDirectory
    private let path: String
    private let block = Array(repeating: 7 as UInt8, count: 4_096)

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/journal/traces"
    }

    @Test func aNewFileReadsAsZerosAndHasItsRoom() throws {
        let disk = try JournalDirectory(path)
        let file = try disk.create("a", size: 65_536)
        #expect(file.size == 65_536)
        #expect(try file.bytes(at: 0, count: 65_536) == Array(repeating: 0, count: 65_536))
        var status = stat()
        #expect(stat("\(path)/a", &status) == 0)
        #expect(status.st_blocks * 512 >= 65_536)
        #expect(status.st_mode & 0o777 == 0o640)
    }

    @Test func whatIsWrittenIsReadByAnother() throws {
        let disk = try JournalDirectory(path)
        let file = try disk.create("a", size: 16_384)
        try file.write(block, at: 8_192)
        try file.sync()
        try disk.sync()
        let other = try disk.open("a", isReadOnly: true)
        #expect(other.size == 16_384)
        // Only two of the three blocks are there.
        #expect(try other.bytes(at: 8_192, count: 12_288) == block + Array(repeating: 0, count: 4_096))
        #expect(try other.bytes(at: 16_384, count: 4_096) == [])
        #expect(try other.bytes(at: 65_536, count: 4_096) == [])
    }

    @Test func aFileThatAProcessWasKilledOverIsNotSeenAndMadeAnew() throws {
        let disk = try JournalDirectory(path)
        try Data(repeating: 5, count: 5_000).write(to: URL(fileURLWithPath: "\(path)/new"))
        #expect(try disk.names() == [])
        let file = try disk.create("a", size: 8_192)
        #expect(try file.bytes(at: 0, count: 8_192) == Array(repeating: 0, count: 8_192))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["a", "lock"])
    }

    @Test func aFileThatEndsInsideABlockIsReadToItsEnd() throws {
        let disk = try JournalDirectory(path)
        try Data(repeating: 5, count: 5_000).write(to: URL(fileURLWithPath: "\(path)/a"))
        let file = try disk.open("a", isReadOnly: false)
        #expect(try file.bytes(at: 0, count: 8_192) == Array(repeating: 5, count: 5_000))
        #expect(try file.bytes(at: 4_096, count: 4_096) == Array(repeating: 5, count: 904))
        #expect(try file.bytes(at: 8_192, count: 4_096) == [])
    }

    @Test func aFileOpenedForReadingIsNotWritten() throws {
        let disk = try JournalDirectory(path)
        _ = try disk.create("a", size: 4_096)
        let file = try disk.open("a", isReadOnly: true)
        let expected = DiskError(description: "write \(path)/a: bad file descriptor", isFull: false)
        #expect(throws: expected) { try file.write(block, at: 0) }
    }

    @Test func namesAreThoseOfTheFiles() throws {
        let disk = try JournalDirectory(path)
        #expect(try disk.names() == [])
        for number in 0..<300 { _ = try disk.create("\(number)", size: 4_096) }
        #expect(Set(try disk.names()) == Set((0..<300).map(String.init)))
    }

    @Test func aRenameTakesThePlaceOfAFile() throws {
        let disk = try JournalDirectory(path)
        let file = try disk.create("a", size: 8_192)
        _ = try disk.create("b", size: 4_096)
        try disk.rename("a", to: "b")
        #expect(try disk.names() == ["b"])
        #expect(try disk.open("b", isReadOnly: true).size == 8_192)
        try file.write(block, at: 0)
        // Who has it open may read it, under any name or none.
        try disk.remove("b")
        #expect(try file.bytes(at: 0, count: 4_096) == block)
        #expect(try disk.names() == [])
    }

    @Test func aFileThatSomebodyHasRemovedTakesNothing() throws {
        let disk = try JournalDirectory(path)
        let file = try disk.create("a", size: 8_192)
        try disk.rename("a", to: "b")
        try FileManager.default.moveItem(atPath: path, toPath: "\(path)-elsewhere")
        // Whatever it is called, and wherever that is.
        try file.write(block, at: 0)
        try file.sync()
        try FileManager.default.removeItem(atPath: "\(path)-elsewhere/b")
        let expected = error("a file of \(path) was removed while it was open", isMissing: true)
        #expect(throws: expected) { try file.write(block, at: 0) }
        #expect(throws: expected) { try file.sync() }
    }

    @Test func nothingIsChangedInADirectoryThatHasTakenThePlaceOfTheOneThatIsLocked() throws {
        let disk = try JournalDirectory(path)
        _ = try disk.create("a", size: 4_096)
        let files = FileManager.default
        try files.copyItem(atPath: path, toPath: "\(path)-copy")
        try files.moveItem(atPath: path, toPath: "\(path)-moved")
        let expected = error("\(path) was removed or replaced while it was open, wanted a restart")
        for replacement in ["\(path)-none", "\(path)-copy"] {
            try files.createSymbolicLink(atPath: path, withDestinationPath: replacement)
            #expect(throws: expected) { _ = try disk.create("b", size: 4_096) }
            #expect(throws: expected) { _ = try disk.open("a", isReadOnly: false) }
            #expect(throws: expected) { try disk.rename("a", to: "b") }
            #expect(throws: expected) { try disk.remove("a") }
            try files.removeItem(atPath: path)
        }
        #expect(try files.contentsOfDirectory(atPath: "\(path)-copy").sorted() == ["a", "lock"])
        // By another way to the same place, it is the same.
        try files.createSymbolicLink(atPath: path, withDestinationPath: "\(path)-moved")
        try disk.rename("a", to: "b")
        #expect(try disk.names() == ["b"])
    }

    @Test func refusalsNameCallAndPath() throws {
        let disk = try JournalDirectory(path)
        _ = try disk.create("a", size: 4_096)
        #expect(throws: error("open \(path)/a: file exists")) { _ = try disk.create("a", size: 4_096) }
        #expect(throws: error("open \(path)/b: no such file or directory")) {
            _ = try disk.open("b", isReadOnly: true)
        }
        #expect(throws: error("rename \(path)/c: no such file or directory")) { try disk.rename("b", to: "c") }
        #expect(throws: error("unlink \(path)/b: no such file or directory")) { try disk.remove("b") }
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: error("opendir \(path): no such file or directory")) { _ = try disk.names() }
        #expect(throws: error("open \(path): no such file or directory")) { try disk.sync() }
        #expect(throws: error("statvfs \(path): no such file or directory")) { _ = try disk.freeBytes() }
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(throws: error("mkdir \(path): not a directory")) { _ = try JournalDirectory(path) }
    }

    @Test func onlyOneHoldsTheDirectory() throws {
        var disk: JournalDirectory? = try JournalDirectory(path)
        #expect(throws: error("another process uses \(path)")) { _ = try JournalDirectory(path) }
        #expect(try disk?.names() == [])
        disk = nil
        _ = try JournalDirectory(path)
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "needs the right to mount a tmpfs"))
    func aFileThatDoesNotFitIsNotMade() throws {
        let small = try SmallDisk()
        let disk = try JournalDirectory("\(small.directory.path)/journal")
        let free = try disk.freeBytes()
        #expect((512 * 1_024...1_024 * 1_024).contains(free))
        let full = DiskError(
            description: "fallocate \(small.directory.path)/journal/a: no space left on device", isFull: true)
        #expect(throws: full) { _ = try disk.create("a", size: 2 * 1_024 * 1_024) }
        #expect(try disk.names() == [])
        #expect(try disk.freeBytes() == free)
        // What fits is there for good, whatever else takes the rest.
        let file = try disk.create("a", size: 512 * 1_024)
        #expect(throws: (any Error).self) {
            try Data(repeating: 1, count: 1_024 * 1_024).write(to: URL(fileURLWithPath: "\(small.directory.path)/rest"))
        }
        try file.write(Array(repeating: 7, count: 512 * 1_024), at: 0)
        try file.sync()
        try disk.sync()
        #expect(try file.bytes(at: 8_192, count: 4_096) == block)
    }

    private func error(_ description: String, isMissing: Bool = false) -> DiskError {
        let isMissing = isMissing || description.hasSuffix("no such file or directory")
        return DiskError(description: description, isFull: false, isMissing: isMissing)
    }
}

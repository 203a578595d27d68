import Foundation
import Testing

@testable import Weir

@Suite struct DirectoryTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func createsWhatIsMissingAbove() throws {
        try Directory.create("\(directory.path)/a/b/c")
        try Directory.create("\(directory.path)/a/b/d/")
        try Directory.create("\(directory.path)/a/b/d/")
        #expect(try Directory.names(in: "\(directory.path)/a/b").sorted() == ["c", "d"])
    }

    @Test func createsNoneInPlaceOfAFile() throws {
        let file = "\(directory.path)/file"
        _ = try AppendFile(creating: file)
        #expect(throws: FileError("mkdir", file, code: ENOTDIR)) { try Directory.create(file) }
        #expect(throws: FileError("mkdir", "\(file)/a", code: ENOTDIR)) { try Directory.create("\(file)/a") }
    }

    @Test func namesEverythingThatIsThere() throws {
        let names = (0..<1_000).map { "file \($0)" }
        for name in names { _ = try AppendFile(creating: "\(directory.path)/\(name)") }
        #expect(try Directory.names(in: directory.path).sorted() == names.sorted())
        #expect(throws: FileError("opendir", "/none", code: ENOENT)) { _ = try Directory.names(in: "/none") }
    }

    @Test func whatCannotBeLookedIntoIsNotTakenForMissing() throws {
        let file = "\(directory.path)/file"
        _ = try AppendFile(creating: file)
        #expect(try Directory.isThere(file))
        #expect(try !Directory.isThere("\(directory.path)/none"))
        #expect(try !Directory.isThere("\(file)/a"))
        // Root may look into everything, but not follow this.
        let loop = "\(directory.path)/loop"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(throws: FileError("access", "\(loop)/a", code: ELOOP)) { try Directory.isThere("\(loop)/a") }
    }

    @Test func removesOneThatIsEmpty() throws {
        let file = "\(directory.path)/a/file"
        try Directory.create("\(directory.path)/a")
        _ = try AppendFile(creating: file)
        #expect(throws: FileError("rmdir", "\(directory.path)/a", code: ENOTEMPTY)) {
            try Directory.remove("\(directory.path)/a")
        }
        try Directory.removeFile(file)
        #expect(throws: FileError("unlink", file, code: ENOENT)) { try Directory.removeFile(file) }
        try Directory.remove("\(directory.path)/a")
        #expect(try Directory.names(in: directory.path) == [])
    }

    @Test func isClaimedByOneAtATime() throws {
        var lock = try FileLock.take(directory.path)
        #expect(lock != nil)
        #expect(try FileLock.take(directory.path) == nil)
        lock = nil
        #expect(try FileLock.take(directory.path) != nil)
        #expect(throws: FileError("open", "\(directory.path)/none/lock", code: ENOENT)) {
            _ = try FileLock.take("\(directory.path)/none/lock")
        }
    }

    @Test func knowsWhatIsThere() {
        #expect(Directory.has(directory.path))
        #expect(!Directory.has("\(directory.path)/none"))
    }
}

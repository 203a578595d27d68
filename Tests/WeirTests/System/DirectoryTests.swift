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
        #expect(try Directory.names(in: "\(directory.path)/a/b", limit: 10).sorted() == ["c", "d"])
    }

    @Test func createsNoneInPlaceOfAFile() throws {
        let file = "\(directory.path)/file"
        _ = try AppendFile(creating: file)
        #expect(throws: FileError("mkdir", file, code: ENOTDIR)) { try Directory.create(file) }
        #expect(throws: FileError("mkdir", "\(file)/a", code: ENOTDIR)) { try Directory.create("\(file)/a") }
    }

    @Test func namesNoMoreThanItIsAskedFor() throws {
        for name in ["a", "b", "c"] { _ = try AppendFile(creating: "\(directory.path)/\(name)") }
        #expect(try Directory.names(in: directory.path, limit: 2).count == 2)
        #expect(throws: FileError("opendir", "/none", code: ENOENT)) { _ = try Directory.names(in: "/none", limit: 1) }
    }

    @Test func knowsWhatIsThere() {
        #expect(Directory.has(directory.path))
        #expect(!Directory.has("\(directory.path)/none"))
    }
}

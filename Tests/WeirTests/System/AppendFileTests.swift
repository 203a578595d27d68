import Foundation
import Testing

@testable import Weir

@Suite struct AppendFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/file"
    }

    @Test func writesAtTheEnd() throws {
        let file = try AppendFile(creating: path)
        try append("one ", to: file)
        try append("two", to: file)
        #expect(file.end.length == 7)
        #expect(try text(path) == "one two")
    }

    @Test func goesOnBehindTheEndThatItWasTruncatedTo() throws {
        let file = try AppendFile(creating: path)
        try append("one ", to: file)
        let end = file.end
        try append("two", to: file)
        try file.truncate(to: end)
        #expect(file.end == end)
        try append("three", to: file)
        #expect(try text(path) == "one three")
    }

    @Test func takesNothingWhileItIsClosed() throws {
        let file = try AppendFile(creating: path)
        try append("one two", to: file)
        try file.close()
        #expect(throws: FileError("write", path, code: EBADF)) { try append("x", to: file) }
        try file.reopen()
        try file.truncate(to: file.end)
        try append("three", to: file)
        #expect(try text(path) == "one twothree")
    }

    @Test func copiesWhatWasAppended() throws {
        let file = try AppendFile(creating: path)
        let megabytes = String(repeating: "weir", count: 600_000)
        try append(megabytes, to: file)
        let copy = try AppendFile(creating: path + "2")
        try file.copy(to: copy)
        #expect(copy.end == file.end)
        #expect(try text(path + "2") == megabytes)
    }

    @Test func copiesNothingElse() throws {
        let file = try AppendFile(creating: path)
        try append("one two", to: file)
        try Data("one 2wo".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: FileError("read", path, code: EIO)) {
            try file.copy(to: try AppendFile(creating: path + "2"))
        }
        try Data("one".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: FileError("read", path, code: EIO)) {
            try file.copy(to: try AppendFile(creating: path + "3"))
        }
        try Directory.removeFile(path)
        #expect(throws: FileError("open", path, code: ENOENT)) {
            try file.copy(to: try AppendFile(creating: path + "4"))
        }
    }

    @Test func createsNoFileWhereThereIsOne() throws {
        _ = try AppendFile(creating: path)
        #expect(throws: FileError("open", path, code: EEXIST)) { _ = try AppendFile(creating: path) }
    }

    @Test func takesAnotherNameButNoneThatIsTaken() throws {
        let file = try AppendFile(creating: path)
        try append("ours", to: file)
        try Data("theirs".utf8).write(to: URL(fileURLWithPath: path + "2"))
        #expect(throws: FileError("link", path + "2", code: EEXIST)) { try file.rename(to: path + "2") }
        try file.rename(to: path + "3")
        #expect(file.path == path + "3")
        #expect(try text(path + "2") == "theirs")
        #expect(try text(path + "3") == "ours")
        #expect(!Directory.has(path))
    }

    @Test func namesTheCallThePathAndTheReason() {
        let error = #expect(throws: FileError.self) { _ = try AppendFile(creating: "\(directory.path)/none/file") }
        #expect(error?.description == "open \(directory.path)/none/file: no such file or directory")
    }

    private func append(_ text: String, to file: AppendFile) throws {
        try Array(text.utf8).withUnsafeBytes { try file.append($0) }
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }
}

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
        #expect(file.length == 7)
        #expect(try text(path) == "one two")
    }

    @Test func goesOnBehindTheEndThatItWasTruncatedTo() throws {
        let file = try AppendFile(creating: path)
        try append("one two", to: file)
        try file.truncate(to: 4)
        try append("three", to: file)
        #expect(try text(path) == "one three")
    }

    @Test func truncatesAClosedFile() throws {
        let file = try AppendFile(creating: path)
        try append("one two", to: file)
        try file.close()
        try file.truncate(to: 3)
        #expect(file.length == 3)
        #expect(try text(path) == "one")
        #expect(throws: FileError("write", path, code: EBADF)) { try append("x", to: file) }
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

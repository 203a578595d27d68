import Foundation
import Testing

@testable import Weir

@Suite struct KeyFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/dedupe.key"
    }

    @Test func aKeyIsDrawnOnceAndReadEverAfter() throws {
        let key = try KeyFile.read(path, size: 32)
        #expect(key.count == 32)
        #expect(Set(key).count > 8, "it is not a constant")
        #expect(try KeyFile.read(path, size: 32) == key)
        #expect(try KeyFile.read("\(directory.path)/other.key", size: 32) != key)
        #expect(directory.files() == ["dedupe.key", "other.key"])
    }

    @Test func onlyItsOwnerMayReadIt() throws {
        _ = try KeyFile.read(path, size: 16)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aFileOfAnotherSizeIsNoKey() throws {
        for size in [0, 31, 33] {
            try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: path))
            #expect(throws: FileError("read", path, code: EINVAL)) { try KeyFile.read(path, size: 32) }
        }
    }

    @Test func aDraftThatACrashLeftIsInNobodysWay() throws {
        try Data([1, 2]).write(to: URL(fileURLWithPath: path + ".new"))
        #expect(try KeyFile.read(path, size: 32).count == 32)
        #expect(directory.files() == ["dedupe.key"])
    }

    @Test func whatCannotBeMadeIsSaid() {
        let missing = "\(directory.path)/no/such.key"
        #expect(throws: FileError("open", missing + ".new", code: ENOENT)) { try KeyFile.read(missing, size: 32) }
    }
}

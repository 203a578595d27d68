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

    @Test func ofSeveralWhoNeedItAtOnceOneMakesIt() async throws {
        for number in 1...50 {
            let path = "\(directory.path)/\(number).key"
            let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 1...4 { group.addTask { try KeyFile.read(path, size: 32) } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
        }
    }

    @Test func onlyItsOwnerMayReadIt() throws {
        _ = try KeyFile.read(path, size: 16)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aFileOfAnotherSizeIsNoKey() throws {
        for (size, found) in [(0, "0"), (31, "31"), (33, "more than 32")] {
            try Data(repeating: 1, count: size).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: FileError.self) { try KeyFile.read(path, size: 32) }
            #expect(error?.description == "read \(path): found \(found) bytes, wanted 32: bring back the file")
        }
    }

    @Test func aDraftThatACrashLeftIsInNobodysWay() throws {
        try Data([1, 2]).write(to: URL(fileURLWithPath: path + ".new"))
        #expect(try KeyFile.read(path, size: 32).count == 32)
        #expect(directory.files() == ["dedupe.key"])
    }

    @Test func whatCannotBeMadeIsSaid() {
        let missing = "\(directory.path)/no/such.key"
        let error = FileError("open", Directory.parent(of: missing) + "/.", code: ENOENT)
        #expect(throws: error) { try KeyFile.read(missing, size: 32) }
    }
}

import Foundation
import Testing

@testable import Weir

/// Files that are sealed as a whole, and what was done to them.
@Suite struct SealedFileTests {
    /// Data keys that somebody has.
    private struct Table: FileKeys {
        var keys: [UInt64: SecretKey] = [:]
        var reason = Unreadable.unknownKey

        func secret(_ id: UInt64, of path: String) -> Result<SecretKey, Unreadable> {
            keys[id].map { .success($0) } ?? .failure(reason)
        }
    }

    private static let chunk = FileSeal.chunkSize
    private static let whole = FileSeal.chunkSize + FileSeal.overhead
    private let directory: TemporaryDirectory
    private let table: Table
    private let key: SecretKey

    init() throws {
        directory = try TemporaryDirectory()
        key = try #require(SecretKey.random())
        table = Table(keys: [7: key])
    }

    private func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    private func begin(_ name: String, _ id: UInt64 = 7, _ key: SecretKey? = nil) throws -> AppendFile {
        let seal: FileSeal = try #require(FileSeal(id, key ?? self.key))
        return try AppendFile(creating: path(name), seal)
    }

    private func content(_ count: Int, _ seed: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) ^ seed }
    }

    @discardableResult private func write(_ content: [UInt8], to name: String) throws -> [UInt8] {
        let file = try begin(name)
        try content.withUnsafeBytes { try file.append($0) }
        try file.complete()
        try file.close()
        return try directory.contents(of: name)
    }

    private func read(_ name: String) throws -> [UInt8] {
        var reader = try FileReader(path(name), opening: table)
        var found: [UInt8] = []
        while true {
            let next = try reader.next(upTo: 100_000)
            guard !next.isEmpty else { return found }
            found += next
        }
    }

    /// Whether the file of these bytes is refused, sooner or later.
    private func isRefused(_ bytes: [UInt8]) throws -> Bool {
        try Data(bytes).write(to: URL(fileURLWithPath: path("changed")))
        do {
            _ = try read("changed")
            return false
        } catch let error as FileError {
            return error.unreadable != nil
        }
    }

    @Test(arguments: [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 17])
    func whatWasWrittenIsRead(length: Int) throws {
        let content = content(length)
        let bytes = try write(content, to: "f")
        #expect(try read("f") == content)
        #expect(bytes.count == FileSeal.headerSize + length + max(1, (length + Self.chunk - 1) / Self.chunk) * 24)
        // Nothing of it stands there.
        if length > 40 { #expect(!bytes.withUnsafeBytes { $0.hasText(Array(content.prefix(16))) }) }
        var reader = try FileReader(path("f"), opening: table)
        #expect(try reader.length == length)
        for start in [0, length / 2, max(0, length - 3), min(length, Self.chunk - 2)] {
            for end in [start, min(length, start + 5), length] {
                #expect(try reader.piece(start..<end) == Array(content[start..<end]))
            }
        }
        #expect(throws: FileError.self) { try reader.piece(0..<length + 1) }
        #expect(throws: FileError.self) { try reader.piece(length + 1..<length + 1) }
    }

    @Test func aFileThatIsNotSealedIsReadAsItIs() throws {
        for content in [[], Array("E".utf8), content(70_000)] {
            try Data(content).write(to: URL(fileURLWithPath: path("plain")))
            #expect(try read("plain") == content)
        }
    }

    @Test func oneThatWasCutAnywhereDoesNotOpen() throws {
        let small = try write(content(300), to: "small")
        for length in FileSeal.magic.count..<small.count {
            #expect(try isRefused(Array(small.prefix(length))), "\(length)")
        }
        let large = try write(content(2 * Self.chunk + 99), to: "large")
        let borders = (0...2).map { FileSeal.headerSize + $0 * Self.whole }
        let all = FileSeal.magic.count..<large.count
        let near = borders.flatMap { ($0 - 30)...($0 + 30) }
        for length in Set(near.filter(all.contains)).union(stride(from: 100, to: large.count, by: 1_999)) {
            #expect(try isRefused(Array(large.prefix(length))), "\(length)")
        }
    }

    @Test func oneThatGotMoreBytesDoesNotOpen() throws {
        let small = try write(content(300), to: "small")
        for more in 1...60 { #expect(try isRefused(small + content(more)), "\(more)") }
        #expect(try isRefused(small + small.dropFirst(FileSeal.headerSize)))
        let large = try write(content(2 * Self.chunk), to: "large")
        #expect(try isRefused(large + large.suffix(Self.whole)))
        #expect(try isRefused(large + large[FileSeal.headerSize..<FileSeal.headerSize + Self.whole]))
    }

    @Test func noBitMayBeAnother() throws {
        let small = try write(content(300), to: "small")
        // What is another file's magic number is a file in clear.
        for index in 5..<small.count {
            var changed = small
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(try isRefused(changed), "\(index)")
        }
    }

    @Test func chunksStayWhereTheyAre() throws {
        let one = try write(content(3 * Self.chunk), to: "one")
        let other = try write(content(3 * Self.chunk), to: "other")
        func range(_ place: Int) -> Range<Int> {
            FileSeal.headerSize + place * Self.whole..<FileSeal.headerSize + (place + 1) * Self.whole
        }
        for first in 0..<3 {
            for second in 0..<3 {
                if first != second {
                    var changed = one
                    changed.replaceSubrange(range(first), with: one[range(second)])
                    changed.replaceSubrange(range(second), with: one[range(first)])
                    #expect(try isRefused(changed), "\(first) and \(second)")
                }
                var mixed = one
                mixed.replaceSubrange(range(first), with: other[range(second)])
                #expect(try isRefused(mixed), "\(first) by \(second) of another")
            }
            var without = one
            without.removeSubrange(range(first))
            #expect(try isRefused(without), "without \(first)")
        }
        var header = one
        header.replaceSubrange(0..<FileSeal.headerSize, with: other.prefix(FileSeal.headerSize))
        #expect(try isRefused(header))
        #expect(try read("one") == read("other"))
        #expect(one.dropFirst(FileSeal.headerSize) != other.dropFirst(FileSeal.headerSize))
    }

    @Test func itSaysWhyItDoesNotOpen() throws {
        try write(content(10), to: "f")
        func why(_ keys: Table?) -> FileError? {
            #expect(throws: FileError.self) { _ = try FileReader(path("f"), opening: keys) }
        }
        #expect(why(nil)?.unreadable == .unavailable)
        #expect(why(Table())?.unreadable == .unknownKey)
        #expect(why(Table(reason: .destroyed))?.unreadable == .destroyed)
        #expect(
            why(Table(reason: .destroyed))?.description
                == "open \(path("f")): sealed with data key 0000000000000007: key destroyed")
        #expect(why(Table(keys: [7: try #require(SecretKey.random())]))?.unreadable == .notAuthentic)
    }

    /// Cut back at any place, and written again, a file is what was left in it; and no nonce is used twice.
    @Test func whatWasCutOffIsNotThere() throws {
        var random = SplitMix64(seed: UInt64.random(in: 0 ... .max))
        for round in 0..<8 {
            let file = try begin("f\(round)")
            var ends: [(end: AppendFile.End, count: Int)] = [(file.end, 0)]
            var wanted: [UInt8] = []
            var numbers: Set<[UInt8]> = []
            for step in 0..<12 {
                if random.chance(35), let back = ends.randomElement() {
                    if random.chance(30) { try file.complete() }
                    // What stands on the disk at a moment may be kept by somebody.
                    numbers.formUnion(try Self.chunks(of: directory.contents(of: "f\(round)")))
                    try file.truncate(to: back.end)
                    wanted = Array(wanted.prefix(back.count))
                    ends = ends.filter { $0.count <= back.count }
                }
                let more = content(random.below(100_000), UInt8(step))
                try more.withUnsafeBytes { try file.append($0) }
                wanted += more
                ends.append((file.end, wanted.count))
            }
            #expect(file.end.length == wanted.count)
            // As after a sync that failed.
            let copy = try AppendFile(creating: path("copy\(round)"))
            try file.copy(to: copy)
            for file in [file, copy] {
                try file.complete()
                try file.close()
                numbers.formUnion(try Self.chunks(of: FileReader.contents(of: file.path, limit: 1 << 30)))
            }
            #expect(try read("f\(round)") == wanted)
            #expect(try read("copy\(round)") == wanted)
            let nonces = numbers.map { Array($0.prefix(FileSeal.numberSize)) }
            #expect(Set(nonces).count == nonces.count)
        }
    }

    /// Number and content of each chunk.
    private static func chunks(of bytes: [UInt8]) throws -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        var rest = bytes.dropFirst(FileSeal.headerSize)
        while !rest.isEmpty {
            found.insert(Array(rest.prefix(whole)))
            rest = rest.dropFirst(whole)
        }
        return found
    }

    /// A process that dies leaves a file without its last chunk.
    @Test func aFileThatWasNotCompletedDoesNotOpen() throws {
        let file = try begin("f")
        try content(5 * Self.chunk).withUnsafeBytes { try file.append($0) }
        try file.close()
        #expect(throws: FileError.self) { try read("f") }
    }
}

import Foundation
import Testing

@testable import Weir

/// What a bucket is given of the lines about what was removed.
@Suite struct RemovalObjectsTests {
    private let directory: TemporaryDirectory
    private let file: LineFile

    init() throws {
        directory = try TemporaryDirectory()
        try Directory.create("\(directory.path)/.chain")
        file = LineFile("removed.jsonl", in: "\(directory.path)/.chain")
    }

    private func line(_ number: Int, on day: String, of journal: String = "7") -> String {
        #"{"at":"\#(day)T04:05:06Z","journal":"\#(journal)","numbers":[[\#(number),\#(number)]]}"# + "\n"
    }

    private func name(_ day: String, of journal: String = "7") -> String {
        ".chain/removed-\(String(repeating: "0", count: 15))\(journal)-\(day).jsonl"
    }

    private func append(_ lines: String...) throws { try file.append(Array(lines.joined().utf8)) }

    /// What changed, by name, as a bucket is then given it.
    private func takeChanges(_ objects: inout RemovalObjects) throws -> [String: String] {
        try objects.readOn()
        var changes: [String: String] = [:]
        for name in objects.changed {
            changes[name] = String(decoding: try objects.bytes(of: name), as: UTF8.self)
            objects.finish(name)
        }
        return changes
    }

    @Test func aDayOfAJournalIsAnObject() throws {
        var objects = RemovalObjects(in: directory.path)
        #expect(try takeChanges(&objects).isEmpty)
        let (first, second) = ("2026-02-03", "2026-02-04")
        try append(line(1, on: first), line(9, on: first, of: "8"), "no line of ours\n", line(2, on: first))
        #expect(
            try takeChanges(&objects) == [
                name(first): line(1, on: first) + line(2, on: first), name(first, of: "8"): line(9, on: first, of: "8"),
            ])
        #expect(try takeChanges(&objects).isEmpty)
        // Those of days that are over need not be read again, or brought there again.
        try append(line(3, on: second))
        #expect(try takeChanges(&objects) == [name(second): line(3, on: second)])
        try append(line(4, on: second), line(5, on: first))
        #expect(
            try takeChanges(&objects) == [
                name(second): line(3, on: second) + line(4, on: second),
                name(first): line(1, on: first) + line(2, on: first) + line(5, on: first),
            ])
    }

    @Test func whatTheBucketDidNotTakeIsStillToGo() throws {
        var objects = RemovalObjects(in: directory.path)
        try append(line(1, on: "2026-02-03"))
        try objects.readOn()
        try objects.readOn()
        #expect(objects.changed == [name("2026-02-03")])
    }

    @Test func anotherFileIsReadFromItsStart() throws {
        var objects = RemovalObjects(in: directory.path)
        let day = "2026-02-03"
        try append(line(1, on: day), line(2, on: day))
        _ = try takeChanges(&objects)
        try file.remove()
        try append(line(3, on: day), line(4, on: day), line(5, on: day))
        #expect(try takeChanges(&objects) == [name(day): line(3, on: day) + line(4, on: day) + line(5, on: day)])
        // The end was cut off, as after a write that failed, and others came.
        let other = line(1_000_000, on: day)
        try Array((line(3, on: day) + other).utf8).withUnsafeBytes { bytes in
            let handle = try #require(FileHandle(forWritingAtPath: file.path))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data(bytes))
            try handle.close()
        }
        #expect(try takeChanges(&objects) == [name(day): line(3, on: day) + other])
    }

    @Test func aLineHasALimit() throws {
        try append("short\n", String(repeating: "x", count: 1 << 20) + "\n")
        var reader = try LineReader(file.path, from: 0, atMost: 300_000)
        #expect(try reader.next { $0.count } == 6)
        #expect(throws: FileError.self) { try reader.next { $0.count } }
        var patient = try LineReader(file.path, from: 6, atMost: 2 << 20)
        #expect(try patient.next { $0.count } == 1 << 20 + 1)
    }
}

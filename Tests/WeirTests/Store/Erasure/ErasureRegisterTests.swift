import Foundation
import Testing

@testable import Weir

@Suite struct ErasureRegisterTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func readsBackWhatWasWritten() throws {
        var register = try ErasureRegister(directory.path)
        let request = try add(&register)
        var step = ErasureEntry(.step, id: request.id)
        step.place = "archive"
        step.counts = [.init(name: "spans", value: 3), .init(name: "files", value: 0)]
        step.rewritten = [.init(before: "ab", after: "cd")]
        try register.append(at: now) { _ in step }
        for ids in [[7, .max], [8]] as [[UInt64]] {
            var keys = ErasureEntry(.keys, id: request.id)
            keys.dataKeys = ids
            try register.append(at: now) { _ in keys }
        }
        let again = try ErasureRegister(directory.path)
        #expect(again.entries == register.entries)
        #expect(again.entries.map(\.number) == [1, 2, 3, 4])
        // Whoever has written it need not read it to know.
        for register in [register, again] { #expect(register.requests.map(\.dataKeys) == [[7, 8, .max]]) }
        #expect(try again.subjects(of: again.requests).all.map(\.keys) == [[7, 8, .max]])
        #expect(again.requests.map(\.id) == [request.id])
        #expect(again.requests[0].steps.map(\.place) == ["archive"])
        #expect(again.requests[0].completedAt == nil)
        try register.append(at: now) { _ in ErasureEntry(.complete, id: request.id) }
        #expect(try ErasureRegister(directory.path).requests[0].completedAt == now)
    }

    @Test func hasNoNameInIt() throws {
        var register = try ErasureRegister(directory.path)
        try add(&register)
        #expect(try directory.files(with: ErasureSample.person) == [])
    }

    @Test func isForItsOwnerWhereTheKeyIsConcerned() throws {
        _ = try ErasureRegister(directory.path)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/key")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func leavesOutALineThatWasNotWrittenToItsEnd() throws {
        var register = try ErasureRegister(directory.path)
        try add(&register)
        let path = "\(directory.path)/register.jsonl"
        let whole = try directory.contents(of: "register.jsonl")
        try Data(whole + Array("{\"number\":2".utf8)).write(to: URL(fileURLWithPath: path))
        var again = try ErasureRegister(directory.path)
        #expect(again.entries.count == 1)
        try add(&again)
        #expect(try ErasureRegister(directory.path).entries.count == 2)
    }

    @Test func tellsThatALineWasChangedOrTakenAway() throws {
        var register = try ErasureRegister(directory.path)
        for _ in 1...3 { try add(&register) }
        let text = String(decoding: try directory.contents(of: "register.jsonl"), as: UTF8.self)
        let lines = text.split(separator: "\n").map { "\($0)\n" }
        let path = "\(directory.path)/register.jsonl"
        for (wrong, line) in [
            (lines[0] + lines[2], 2), (lines[1] + lines[2], 1),
            (lines[0].replacing("default", with: "other") + lines[1], 2), ("x\n" + text, 1),
        ] {
            try Data(wrong.utf8).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: FileError.self) { try ErasureRegister(directory.path) }
            #expect(error?.description == "read \(path), line \(line): is damaged")
        }
    }

    @Test func missesLinesThatWereCutOffAtItsEnd() throws {
        var register = try ErasureRegister(directory.path)
        for _ in 1...3 { try add(&register) }
        let text = String(decoding: try directory.contents(of: "register.jsonl"), as: UTF8.self)
        let end = try directory.contents(of: "register.end")
        let lines = text.split(separator: "\n").map { "\($0)\n" }
        func write(_ text: String, _ end: [UInt8]?) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory.path)/register.jsonl"))
            let path = "\(directory.path)/register.end"
            if let end { try Data(end).write(to: URL(fileURLWithPath: path)) } else { try Directory.removeFile(path) }
        }
        // Somebody who has not the key says that it is shorter.
        let hash = Digest.sha256(Array(lines[1].utf8)).hexadecimal
        let forged = Array("2 \(hash) \(String(repeating: "0", count: 64))\n".utf8)
        for (wrong, end) in [("", end), (lines[0], end), (lines[0] + lines[1], end), (lines[0] + lines[1], forged)] {
            try write(wrong, end)
            #expect(throws: FileError.self) { try ErasureRegister(directory.path) }
            #expect(throws: FileError.self) { try ErasureRegister(reading: directory.path) }
        }
        try write(text, nil)
        #expect(throws: FileError.self) { try ErasureRegister(directory.path) }
        // Whoever is killed between the two has written a line more, and says so with the next one.
        try write(lines[0] + lines[1], end)
        var taken = try ErasureRegister(directory.path, takesAnyEnd: true)
        try taken.append(at: now) { _ in ErasureEntry(.confirm, id: "c") }
        let before = try directory.contents(of: "register.end")
        #expect(try ErasureRegister(directory.path).entries.count == 3)
        try add(&taken)
        let four = String(decoding: try directory.contents(of: "register.jsonl"), as: UTF8.self)
        try write(four, before)
        var again = try ErasureRegister(directory.path)
        #expect(again.entries.count == 4)
        try add(&again)
        #expect(try directory.contents(of: "register.end") != before)
        #expect(try ErasureRegister(reading: directory.path).entries.count == 5)
    }

    @Test func whoIsKilledBehindTheFirstLineHasLostNothing() throws {
        var register = try ErasureRegister(directory.path)
        let path = "\(directory.path)/register.jsonl"
        // As where the line cannot be written: nothing can be, where a directory is in the way.
        #expect(throws: FileError.self) {
            try register.append(at: now) { _ in
                try Directory.create(path)
                return ErasureEntry(.hold, id: "h")
            }
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(try ErasureRegister(directory.path).entries.isEmpty)
        var entry = ErasureEntry(.hold, id: "h")
        (entry.number, entry.tenant, entry.isEndKept) = (1, "default", true)
        try Data(entry.line).write(to: URL(fileURLWithPath: path))
        for register in try [ErasureRegister(directory.path), ErasureRegister(reading: directory.path)] {
            #expect(register.holds.count == 1)
        }
        register = try ErasureRegister(directory.path)
        try add(&register)
        #expect(try ErasureRegister(directory.path).entries.count == 2)
        try Data(entry.line).write(to: URL(fileURLWithPath: path))
        #expect(throws: FileError.self) { try ErasureRegister(directory.path) }
    }

    @Test func oneOfAnOlderWeirHasNoEnd() throws {
        _ = try ErasureRegister(directory.path)
        var entry = ErasureEntry(.hold, id: "h")
        (entry.number, entry.tenant) = (1, "default")
        try Data(entry.line).write(to: URL(fileURLWithPath: "\(directory.path)/register.jsonl"))
        var register = try ErasureRegister(directory.path)
        #expect(register.holds.count == 1)
        try add(&register)
        #expect(try ErasureRegister(directory.path).entries.map(\.isEndKept) == [false, true])
    }

    @Test func aRequestThatWaitsForAHoldIsNoTombstone() async throws {
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        var register = try ErasureRegister(directory.path)
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        let request = try #require(
            try register.append(at: now) { _ in
                var entry = ErasureEntry(.request, id: "r")
                (entry.tenant, entry.attribute, entry.holds) = ("default", "user.id", ["h"])
                entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
                return entry
            })
        try await tombstones.refresh()
        #expect(tombstones.snapshot.subjects.isEmpty && tombstones.snapshot.requests == 1)
        #expect(try ErasureRegister(directory.path).tombstones.isEmpty)
        let later = Timestamp(nanoseconds: now.nanoseconds + 5)
        try register.append(at: later) { _ in ErasureEntry(.clear, id: request.id) }
        try await tombstones.refresh()
        // Journals are let go of once more.
        #expect(tombstones.snapshot.subjects.has("default") && tombstones.snapshot.requests == 2)
        #expect(try ErasureRegister(directory.path).tombstones.map(\.tombstoneAt) == [later])
        await tombstones.close()
    }

    @Test func aHoldCoversATenantOrASubject() throws {
        var register = try ErasureRegister(directory.path)
        let names = [[UInt8](repeating: 1, count: 16)]
        #expect(register.hold(on: "default", names: names) == nil)
        var hold = ErasureEntry(.hold, id: "h1")
        (hold.tenant, hold.attribute, hold.names) = ("default", "user.id", names)
        try register.append(at: now) { _ in hold }
        #expect(register.hold(on: "default", names: names)?.id == "h1")
        #expect(register.hold(on: "default", names: [[2]]) == nil)
        #expect(register.hold(on: "other", names: names) == nil)
        var all = ErasureEntry(.hold, id: "h2")
        (all.tenant, all.from) = ("default", Day(now))
        try register.append(at: now) { _ in all }
        #expect(register.hold(on: "default", names: [[2]])?.id == "h2")
        // The other hold is of all days.
        #expect(register.keepers.contains { $0.keeps(Day(now) + -1, at: now) })
        try register.append(at: now) { _ in ErasureEntry(.release, id: "h1") }
        #expect(register.holds.map(\.id) == ["h2"])
        #expect(!register.keepers.contains { $0.keeps(Day(now) + -1, at: now) })
        #expect(register.keepers.contains { $0.keeps(Day(now), at: now) })
    }

    @Test func whatIsRestoredIsKeptForAWhile() throws {
        var register = try ErasureRegister(directory.path)
        var entry = ErasureEntry(.restore, id: "r")
        (entry.tenant, entry.from, entry.through) = ("default", Day(now), Day(now) + 1)
        entry.until = Timestamp(nanoseconds: now.nanoseconds + 10)
        try register.append(at: now) { _ in entry }
        let kept = try #require(try ErasureRegister(directory.path).keepers.first)
        #expect([-1, 0, 1, 2].map { kept.keeps(Day(now) + $0, at: now) } == [false, true, true, false])
        #expect(!kept.keeps(Day(now), at: Timestamp(nanoseconds: now.nanoseconds + 10)))
        // It holds nobody's erasure up.
        #expect(register.hold(on: "default", names: [[1]]) == nil)
    }

    @Test func remembersTraces() throws {
        let register = try ErasureRegister(directory.path)
        let family = SubjectFamily(of: "user.id")
        #expect(try register.readTraces(of: family, tenant: "a") == [])
        try register.add(ErasureSample.traces, of: family, tenant: "a")
        try register.add(ErasureSample.traces, of: family, tenant: "a")
        #expect(try register.readTraces(of: family, tenant: "a") == ErasureSample.traces)
        #expect(try register.readTraces(of: family, tenant: "b") == [])
        let file = try #require(directory.files().first { $0.hasPrefix("traces-") })
        #expect(try directory.contents(of: file).count == 33 * ErasureSample.traces.count)
    }

    @Test func aRunningWeirTakesTombstonesAndHolds() async throws {
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        #expect(tombstones.snapshot.subjects.isEmpty && tombstones.mayDrop(Day(now)))
        #expect(try Tombstones.isServing(directory.path))
        var register = try ErasureRegister(directory.path)
        let request = try add(&register)
        #expect(Tombstones.taken(directory.path) == 0)
        try await tombstones.refresh()
        try await tombstones.acknowledge()
        #expect(Tombstones.taken(directory.path) == 1)
        #expect(tombstones.snapshot.subjects.has("default") && tombstones.snapshot.open == 1)
        let group = try #require(tombstones.snapshot.subjects.all.first)
        tombstones.note(ErasureSample.traces, of: group)
        try await tombstones.refresh()
        #expect(tombstones.snapshot.subjects.all.first?.traces == ErasureSample.traces)
        #expect(try register.readTraces(of: request.family, tenant: "default") == ErasureSample.traces)
        var hold = ErasureEntry(.hold, id: "h")
        hold.tenant = "default"
        try register.append(at: now) { _ in hold }
        try await tombstones.refresh()
        #expect(!tombstones.mayDrop(Day(now)))
        await tombstones.close()
        #expect(try !Tombstones.isServing(directory.path))
    }

    /// What somebody adds behind the reading of a file and before the look at its age would never be read.
    @Test func theFileOfASubjectThatWasNotKnownIsReadOnceMore() async throws {
        var register = try ErasureRegister(directory.path)
        let request = try add(&register)
        try register.add(ErasureSample.traces, of: request.family, tenant: "default")
        let tombstones = Tombstones(directory.path)
        var versions: [Int] = []
        for _ in 1...4 {
            try await tombstones.refresh()
            versions.append(tombstones.snapshot.version)
        }
        #expect(versions == [1, 2, 2, 2])
        #expect(tombstones.snapshot.subjects.all.first?.traces == ErasureSample.traces)
        await tombstones.close()
    }

    @discardableResult
    private func add(_ register: inout ErasureRegister) throws -> ErasureRequest {
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.request, id: ErasureRegister.newID())
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
            return entry
        }
        return try #require(register.requests.last)
    }
}

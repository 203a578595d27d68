import Foundation
import Testing

@testable import Weir

@Suite struct LetterDirectoryTests {
    private let temporary: TemporaryDirectory
    private let exporter = ComponentID(type: "otlp_http", name: "a")

    init() throws {
        temporary = try TemporaryDirectory()
    }

    @Test func keepsDeadLettersALineEach() async throws {
        let store = try open()
        try await store.bury([letter(1), letter(2)])
        try await store.bury([letter(3)])
        #expect(try lines(of: "dead_letters/otlp_http~a/letters.jsonl").count == 3)
    }

    @Test func takesNoDeadLettersBeyondTheLimit() async throws {
        let size = letter(1).line.count
        let store = try open(deadLetters: size * 2 + 1)
        try await store.bury([letter(1)])
        func bank(_ sequence: UInt64) -> Letter { letter(sequence, tenant: "bank") }
        let error = await #expect(throws: LetterError.self) { try await store.bury([bank(2), bank(3)]) }
        #expect(error?.description.hasSuffix("dead_letters.max_bytes") == true)
        #expect(error?.isLimit == false, "somebody makes room")
        #expect(try lines(of: "dead_letters/otlp_http~a/letters.jsonl").count == 1)
        try await store.bury([bank(2)])
    }

    @Test func aTenantHasHalfOfTheDeadLetters() async throws {
        let size = letter(1).line.count
        var store = try open(deadLetters: size * 4)
        func isBeyond(_ store: LetterDirectory, _ letters: Letter...) async -> Bool? {
            let error = await #expect(throws: LetterError.self) { try await store.bury(letters) }
            return error?.isLimit
        }
        try await store.bury([letter(1)])
        try await store.bury([letter(2)])
        #expect(await isBeyond(store, letter(3)) == true)
        #expect(await isBeyond(store, letter(3), letter(4, tenant: "bank")) == true)
        try await store.bury([letter(4, tenant: "bank")])
        // By the next process too.
        store = try open(deadLetters: size * 4)
        #expect(await isBeyond(store, letter(3)) == true)
        try await store.bury([letter(5, tenant: "news")])
        #expect(await isBeyond(store, letter(3)) == true)
        #expect(await isBeyond(store, letter(6, tenant: "bank")) == false, "that is all")
        #expect(try lines(of: "dead_letters/otlp_http~a/letters.jsonl").count == 4)
        // A replay takes them away.
        try FileManager.default.removeItem(atPath: temporary.path + "/dead_letters/otlp_http~a/letters.jsonl")
        for sequence in [7, 8] as [UInt64] { try await store.bury([letter(sequence, tenant: "bank")]) }
        try await store.bury([letter(3)])
    }

    @Test func oneRecordFitsHoweverLargeItIs() async throws {
        let large = letter(1, spans: 100)
        let store = try open(deadLetters: large.line.count, parked: large.line.count)
        try await store.bury([large])
        try await store.park([large], of: "shop")
        await #expect(throws: LetterError.self) { try await store.bury([letter(2)]) }
        await #expect(throws: LetterError.self) { try await store.park([letter(2)], of: "shop") }
    }

    @Test func givesParkedRecordsBackInTheirOrderUntilTheyAreForgotten() async throws {
        let store = try open()
        for sequence in UInt64(1)...5 { try await store.park([letter(sequence)], of: "shop") }
        try await store.park([letter(9, tenant: "bank")], of: "bank")
        #expect(try await sequences(store, "shop", maxSpans: 3) == [1, 2, 3])
        #expect(try await sequences(store, "shop", maxSpans: 3) == [1, 2, 3])
        try await store.forget(2, of: "shop")
        #expect(try await sequences(store, "shop") == [3, 4, 5])
        #expect(try await sequences(store, "bank") == [9])
        #expect(try await sequences(store, "nobody") == [])
        try await store.forget(0, of: "nobody")
    }

    @Test func removesTheFileOfATenantThatHasEverything() async throws {
        let store = try open()
        try await store.park([letter(1), letter(2)], of: "shop")
        #expect(parkedFiles() == ["parked/otlp_http~a/000001.jsonl"])
        _ = try await sequences(store, "shop")
        try await store.forget(2, of: "shop")
        #expect(parkedFiles() == [])
        try await store.park([letter(3)], of: "shop")
        #expect(try await sequences(store, "shop") == [3])
    }

    @Test func findsWhatWasParkedAfterARestart() async throws {
        let first = try open()
        #expect(first.parkedAtStart == [:])
        for sequence in UInt64(1)...4 { try await first.park([letter(sequence)], of: "shop") }
        try await first.park([letter(7, tenant: "bank", spans: 3)], of: "bank")
        _ = try await sequences(first, "shop")
        try await first.forget(2, of: "shop")

        let second = try open()
        #expect(second.parkedAtStart == ["shop": 2, "bank": 3])
        #expect(try await sequences(second, "shop") == [3, 4])
        try await second.park([letter(5)], of: "shop")
        try await second.park([letter(8, tenant: "news")], of: "news")
        #expect(try await sequences(second, "shop") == [3, 4, 5])
        #expect(parkedFiles().count == 3)
    }

    @Test func parksNothingBeyondTheLimitOfAllTenants() async throws {
        let size = letter(1).line.count
        let store = try open(parked: size * 2)
        try await store.park([letter(1)], of: "shop")
        try await store.park([letter(2)], of: "bank")
        let error = await #expect(throws: LetterError.self) { try await store.park([letter(3)], of: "bank") }
        #expect(error?.description.hasSuffix("parked.max_bytes") == true)
        #expect(try await sequences(store, "bank") == [2])
        try await store.forget(1, of: "bank")
        try await store.park([letter(3)], of: "bank")
    }

    @Test func aTenantParksHalfOfThat() async throws {
        let size = letter(1).line.count
        let store = try open(parked: size * 4 + 100)
        for sequence in [1, 2] as [UInt64] { try await store.park([letter(sequence)], of: "shop") }
        let error = await #expect(throws: LetterError.self) { try await store.park([letter(3)], of: "shop") }
        #expect(error?.isLimit == true)
        for sequence in [4, 5] as [UInt64] { try await store.park([letter(sequence, tenant: "bank")], of: "bank") }
        _ = try await sequences(store, "shop")
        try await store.forget(1, of: "shop")
        try await store.park([letter(3)], of: "shop")
        #expect(try await sequences(store, "shop") == [2, 3])
    }

    @Test func whatIsDoneWithTakesNoRoom() async throws {
        func large(_ sequence: UInt64) -> Letter { letter(sequence, spans: 8_000) }
        let size = large(1).line.count
        let store = try open(parked: 2 * (size * 4 + 1_000))
        for sequence in UInt64(1)...4 { try await store.park([large(sequence)], of: "shop") }
        await #expect(throws: LetterError.self) { try await store.park([large(5)], of: "shop") }
        for sequence in UInt64(1)...3 {
            #expect(try await sequences(store, "shop", maxSpans: 8_000) == [sequence])
            try await store.forget(1, of: "shop")
            try await store.park([large(sequence + 4)], of: "shop")
        }
        let path = temporary.path + "/parked/otlp_http~a/000001.jsonl"
        #expect(try Directory.size(ofFile: path) > size * 7)
        #expect(try await sequences(store, "shop", maxSpans: 8_000) == [4])
        try await store.forget(1, of: "shop")
        // More than half of the file is done with.
        #expect(try await sequences(store, "shop", maxSpans: 8_000) == [5])
        #expect(try Directory.size(ofFile: path) < size * 4)
        try await store.forget(1, of: "shop")
        let again = try open()
        #expect(again.parkedAtStart == ["shop": 16_000])
        #expect(try await sequences(again, "shop", maxSpans: 16_000) == [6, 7])
    }

    @Test func movesALineThatCannotBeReadToTheDeadLetters() async throws {
        let store = try open()
        try await store.park([letter(1)], of: "shop")
        let path = temporary.path + "/parked/otlp_http~a/000001.jsonl"
        let line = try String(contentsOfFile: path, encoding: .utf8)
        try Data(("broken\n" + line + "broken too\n" + line).utf8).write(to: URL(fileURLWithPath: path))
        let again = try open()
        #expect(again.parkedAtStart == ["shop": 2])
        #expect(try await sequences(again, "shop") == [1])
        try await again.forget(1, of: "shop")
        #expect(try await sequences(again, "shop") == [1])
        try await again.forget(1, of: "shop")
        #expect(try lines(of: "dead_letters/otlp_http~a/letters.jsonl") == ["broken", "broken too"])
        #expect(parkedFiles() == [])
    }

    @Test func emptiesAFileThatHoldsNothingButLinesThatCannotBeRead() async throws {
        _ = try open()
        let path = temporary.path + "/parked/otlp_http~a/000003.jsonl"
        try Data("broken\nbroken too\n".utf8).write(to: URL(fileURLWithPath: path))
        let store = try open()
        let tenant = try #require(store.parkedAtStart.keys.first)
        #expect(try await sequences(store, tenant) == [])
        #expect(try lines(of: "dead_letters/otlp_http~a/letters.jsonl") == ["broken", "broken too"])
        #expect(parkedFiles() == [])
    }

    @Test func saysWhyItCannotBeginOrGoOn() async throws {
        try Data().write(to: URL(fileURLWithPath: temporary.path + "/parked"))
        #expect(throws: FileError.self) { try open() }
        try FileManager.default.removeItem(atPath: temporary.path + "/parked")
        let store = try open()
        try FileManager.default.removeItem(atPath: temporary.path + "/parked")
        let error = await #expect(throws: LetterError.self) { try await store.park([letter(1)], of: "shop") }
        #expect(error?.description.hasPrefix("open \(temporary.path)/parked/") == true)
    }

    // MARK: Letters

    private func open(deadLetters: Int = 1 << 30, parked: Int = 1 << 30) throws -> LetterDirectory {
        try LetterDirectory(
            temporary.path, exporter: exporter,
            limits: LetterDirectory.Limits(deadLetters: deadLetters, parked: parked))
    }

    private func letter(_ sequence: UInt64, tenant: String = "shop", spans: UInt64 = 1) -> Letter {
        Letter(
            time: Timestamp(nanoseconds: 0), exporter: "\(exporter)", reason: "no",
            kept: KeptRecord(
                journal: JournalID(value: 1),
                record: SampleBatch.record((1...spans).map { ($0, 0) }, tenant: tenant, sequence: sequence)))
    }

    private func sequences(
        _ store: LetterDirectory, _ tenant: String, maxSpans: Int = 100
    ) async throws -> [UInt64] {
        try await store.parked(of: tenant, maxSpans: maxSpans, maxBytes: 1 << 20).map(\.record.sequence)
    }

    private func lines(of file: String) throws -> [String] {
        String(decoding: try temporary.contents(of: file), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func parkedFiles() -> [String] { temporary.files().filter { $0.hasPrefix("parked/") } }
}

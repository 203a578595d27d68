import Testing

@testable import Weir

@Suite struct ParkedSpansTests {
    @Test func countsWhatNobodyHasTakenForEachExporter() async throws {
        let directory = try TemporaryDirectory()
        #expect(try ParkedSpans.count(below: directory.path) == [:])
        func store(_ exporter: ComponentID) throws -> LetterDirectory {
            try LetterDirectory(
                directory.path, exporter: exporter,
                limits: LetterDirectory.Limits(deadLetters: 1 << 20, parked: 1 << 20))
        }
        func letter(_ sequence: UInt64, tenant: String) -> Letter {
            let spans: [(UInt64, UInt64)] = [(sequence, 0), (sequence + 100, 0)]
            return Letter(
                time: Timestamp(nanoseconds: 0), exporter: "e", reason: "no",
                kept: KeptRecord(
                    journal: JournalID(value: 1),
                    record: SampleBatch.record(spans, tenant: tenant, sequence: sequence)))
        }
        let gone = try store(ComponentID(type: "otlp_http", name: "gone"))
        _ = try store(ComponentID(type: "debug"))
        for sequence in [1, 2, 3] as [UInt64] { try await gone.park([letter(sequence, tenant: "shop")], of: "shop") }
        try await gone.park([letter(4, tenant: "bank")], of: "bank")
        _ = try await gone.parked(of: "shop", maxSpans: 2, maxBytes: 1 << 20)
        try await gone.forget(1, of: "shop")
        #expect(try ParkedSpans.count(below: directory.path) == ["otlp_http~gone": 6, "debug": 0])
        #expect(try ParkedSpans.count(below: directory.path) { $0 == "debug" } == ["debug": 0])
    }
}

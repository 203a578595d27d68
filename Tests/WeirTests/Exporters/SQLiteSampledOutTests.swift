import Testing

@testable import Weir

@Suite struct SQLiteSampledOutTests {
    private typealias Record = SampledOutRecord

    private static let rollups =
        "SELECT operation, sum(spans), sum(total_cost_pico) FROM span_rollups GROUP BY 1 ORDER BY 1"
    private static let usage = "SELECT span_id, total_cost_pico, sampled_out_by FROM llm_usage ORDER BY 1"

    @Test func whatWasLeftOutCountsOnce() async throws {
        let sample = try SQLiteSample()
        let record = try Record.make([Record.call(1), Record.call(2), Record.span(3), Record.span(4)], out: [1, 3])
        for _ in 1...2 { try await sample.export(record) }
        #expect(try sample.spanIDs() == ["1", "3"])
        #expect(try sample.lines(Self.usage) == ["1|500000000000|NULL", "2|500000000000|ui"])
        #expect(try sample.lines(Self.rollups) == ["0|2|0", "1|2|1000000000000"])
        #expect(try sample.ledger() == ["1-1 2/0"])
        #expect(sample.metric("stored_spans") == 2 && sample.metric("repeated_spans") == 2)
        #expect(try sample.lines("SELECT count(*) FROM resources") == ["1"])
        #expect(try sample.lines("SELECT count(*) FROM llm_usage WHERE instr(llm_usage.model, 'secret')") == ["0"])
    }

    @Test func aRecordOfNothingElseIsStoredOnce() async throws {
        let sample = try SQLiteSample()
        let record = try Record.make(
            [Record.span(1), Record.span(2, start: SampleBatch.fourOClock + Day.nanoseconds)], out: [0, 1])
        #expect(record.spanCount == 0)
        for _ in 1...2 { try await sample.export(record) }
        for day in ["20260203", "20260204"] {
            #expect(try sample.lines("SELECT sum(spans) FROM span_rollups", day: day) == ["1"])
            #expect(try sample.lines("SELECT name FROM tenants", day: day) == ["default"])
            #expect(try sample.ledger(day: day) == ["1-1 0/0"])
        }
        try await sample.export(Record.make([Record.span(3)], out: [], sequence: 2))
        #expect(try sample.ledger() == ["1-2 1/0"])
    }

    @Test func recordsThatWereLeftOutBetweenOthersAreStoredOnce() async throws {
        let first = try SQLiteSample()
        let records = try (1...6 as ClosedRange<UInt64>).map { sequence in
            try Record.make([Record.span(sequence)], out: [1, 3].contains(sequence) ? [0] : [], sequence: sequence)
        }
        try await first.export(records)
        await first.exporter.finish()
        // As after a kill before the cursor was written down.
        let second = try SQLiteSample(in: first.directory)
        try await second.export(records)
        #expect(try second.spanIDs() == ["2", "4", "5", "6"])
        #expect(try second.lines("SELECT sum(spans) FROM span_rollups") == ["6"])
        #expect(try second.ledger() == ["1-6 4/0"])
    }

    @Test func theRollupsOfARecordAreTheSameHoweverMuchIsLeftOut() async throws {
        var answers: Set<[String]> = []
        for out in [[], [0], [0, 1, 2, 3], [1, 2]] as [Set<Int>] {
            let sample = try SQLiteSample()
            var failed = Record.span(4)
            failed.status = 2
            try await sample.export(
                Record.make([Record.call(1), Record.call(2), Record.span(3), failed], out: out))
            let columns = "sum(spans), sum(errors), sum(duration_ns), sum(input_tokens), sum(total_cost_pico)"
            answers.insert(
                try sample.lines(
                    "SELECT operation, kind, service, name, model, \(columns) FROM span_rollups GROUP BY 1, 2, 3, 4, 5")
            )
        }
        #expect(answers.count == 1 && answers.first?.count == 2, "\(answers)")
    }

    @Test func aCallThatTheTablesRefuseIsAReject() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(9, SampleBatch.fourOClock)], sequence: 9))
        await sample.exporter.finish()
        try sample.change(
            "CREATE TRIGGER no BEFORE INSERT ON llm_usage WHEN new.span_id = 2 BEGIN SELECT raise(ABORT, 'no'); END")
        try await sample.export(Record.make([Record.span(1), Record.call(2), Record.call(3)], out: [1, 2]))
        #expect(try sample.lines(Self.usage) == ["3|500000000000|ui"])
        #expect(try sample.lines("SELECT place, span_id, reason FROM rejects", day: nil) == ["1|2|no"])
        let otlp = try sample.lines("SELECT span FROM rejects", day: nil)
        #expect(otlp.first?.contains("6368617") == true)
        #expect(try sample.lines(Self.rollups) == ["0|2|0", "1|2|1000000000000"])
        #expect(try sample.ledger() == ["1-1 1/1", "9-9 1/0"])
    }

    @Test func storedSpansSayWhatTheyStandFor() async throws {
        let sample = try SQLiteSample()
        var some = Record.span(1)
        some.traceState = "ot=th:c"
        try await sample.export(Record.make([some, Record.span(2)], out: []))
        #expect(try sample.lines("SELECT adjusted_count FROM spans ORDER BY span_id") == ["4.0", "NULL"])
    }

    @Test func aSectionThatCannotBeReadIsRefused() async throws {
        let sample = try SQLiteSample()
        var record = try Record.make([Record.span(1)], out: [])
        record.section.add(.sampledOut, UnsafeRawBufferPointer(start: nil, count: 0))
        try await sample.export(record)
        var broken = try Record.make([Record.span(2)], out: [], sequence: 2)
        Array("\u{FF}".utf8).withUnsafeBytes { broken.section.add(.sampledOut, $0) }
        await #expect(throws: ExportError.self) { try await sample.export(broken) }
        #expect(try sample.spanIDs() == ["1"])
    }
}

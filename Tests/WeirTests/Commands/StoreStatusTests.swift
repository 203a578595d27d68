import Foundation
import Testing

@testable import Weir

/// What commands print of real tables.
@Suite struct StoreStatusTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock + 90_000_000_000)

    @Test func aDirectoryIsShown() async throws {
        let sample = try SQLiteSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        try await sample.export(SampleBatch.record([(4, SampleBatch.fourOClock - Day.nanoseconds)], sequence: 2))
        var status = StoreStatus(try SQLiteStatus.read(directory: sample.path), at: now)
        let waiting = Backlog(
            load: Load(records: 1, spans: 5, bytes: 9), oldest: Timestamp(nanoseconds: now.nanoseconds - 1_500_000_000))
        status.note([JournalID(value: 7): Backlog(), JournalID(value: 8): waiting])
        let lines = status.text.split(separator: "\n").map(String.init)
        #expect(
            lines[0].hasPrefix("schema version \(SQLiteMigration.day.count), ") && lines[0].hasSuffix(", 0 rejects"))
        #expect(lines[2].hasPrefix("2026-02-02      1  ") && lines[3].hasPrefix("2026-02-03      3  "))
        #expect(
            lines[4...] == [
                "JOURNAL           FLOOR  LAST RECORD  SPANS  REJECTED  NEWEST STORED              AGE  BEHIND    LAG",
                "0000000000000007      2            2      4         0  2026-02-03 04:00:00.000  1m30s       0      -",
                "0000000000000008      -            -      0         0  -                            -       5  1.50s",
            ])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(status.json.utf8)) as? [String: Any])
        #expect(json["schema_version"] as? Int == SQLiteMigration.day.count && json["rejects"] as? Int == 0)
        #expect((json["days"] as? [[String: Any]])?.map { $0["spans"] as? Int } == [1, 3])
        let journals = try #require(json["journals"] as? [[String: Any]])
        #expect(journals.map { $0["floor"] as? Int } == [2, nil] && journals[0]["last_sequence"] as? Int == 2)
        #expect(journals[0]["updated_at"] as? String == "2026-02-03T04:00:00.000000000Z")
        #expect(journals.map { $0["behind_records"] as? Int } == [0, 1])
        #expect(journals.map { $0["behind_spans"] as? Int } == [0, 5])
        #expect(journals.map { $0["behind_since"] as? String } == [nil, "2026-02-03T04:01:28.500000000Z"])
    }

    @Test func aSchemaIsShown() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        let status = StoreStatus(try PostgresStatus(of: try sample.schema.open()), at: now)
        #expect(status.days.contains { $0.day.text == "2026-02-03" && $0.bytes > 0 })
        #expect(status.journals.map(\.stored?.spans) == [3] && status.journals.map(\.stored?.floor) == [1])
        // A journal of another machine.
        #expect(status.text.contains("-    -\n") && status.json.contains(#""behind_spans":null"#))
        #expect(status.schemaVersion == PostgresMigration.all.count)
        #expect(status.text.contains("\n2026-02-03      -  "))
    }

    @Test func aTraceIsATreeThatCannotHarmTheTerminal() async throws {
        let sample = try QuerySample(.sqlite)
        var parent = QuerySample.span(1, lasts: 2_000_000, name: "GET /\u{1B}[2J", service: "shop")
        var child = QuerySample.span(2, start: 1_000_000, lasts: 500, name: "work", service: "a\nb")
        (parent.traceID, child.traceID) = ((1, 1), (1, 1))
        (child.parentSpanID, child.status, child.statusMessage) = (1, 2, "bad\r")
        try await sample.add([child, parent])
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let rows = try await sample.reader.page(TraceQuery(QuerySample.tenant, id: id)).rows
        #expect(
            QueryTraceCommand.table(rows, TraceTree(rows)) == #"""
                trace 00000000000000010000000000000001: 2 spans, 1 error, 2.00ms from 2026-02-03T04:00:00.000000000Z
                  START  DURATION  STATUS  SERVICE  NAME
                   +0ns    2.00ms  unset   shop     GET /\u{1b}[2J
                +1.00ms     500ns  error   a\u{a}b    work: bad\u{d}

                """#)
    }

    @Test(arguments: HotDatabase.allCases)
    func aTraceSaysWhatItsCallsUsed(database: HotDatabase) async throws {
        let sample = try QuerySample(database)
        var spans = [
            QuerySample.span(1, lasts: 2_000_000, name: "agent"),
            QuerySample.call(2, start: 1_000_000, model: "gpt-4o", tokens: 12, cost: 0.0075),
            QuerySample.call(3, start: 1_500_000, model: "own"),
        ]
        for index in spans.indices { spans[index].traceID = (1, 1) }
        (spans[1].parentSpanID, spans[2].parentSpanID) = (1, 1)
        try await sample.add(spans)
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let rows = try await sample.reader.page(TraceQuery(QuerySample.tenant, id: id)).rows
        #expect(rows.map(\.call?.model) == [nil, "gpt-4o", "own"])
        let lines = QueryTraceCommand.table(rows, TraceTree(rows)).split(separator: "\n")
        #expect(lines[0].hasSuffix(", 2 calls: 0.0075 USD without 1 that have no price"))
        #expect(lines[1].hasSuffix("MODEL   INPUT  OUTPUT     USD"))
        #expect(lines[3].contains("gpt-4o") && lines[3].hasSuffix("0.0075"))
        #expect(lines[4].contains("own") && lines[4].hasSuffix("-"))
        #expect(rows[0].json.contains(#""call":null"#))
        #expect(rows[1].json.contains(#""call":{"model":"gpt-4o","input_tokens":12,"#))
    }

    /// The tables have a span as often as it came, and its call once.
    @Test(arguments: HotDatabase.allCases)
    func aCallThatCameTwiceIsPaidForOnce(database: HotDatabase) async throws {
        let sample = try QuerySample(database)
        var call = QuerySample.call(2, start: 1_000_000, model: "gpt-4o", tokens: 12, cost: 0.0075)
        call.traceID = (1, 1)
        var other = QuerySample.call(3, start: 1_000_000, model: "gpt-4o", tokens: 12, cost: 0.0075)
        other.traceID = (1, 1)
        try await sample.add([call, other])
        call.name = "the same again"
        try await sample.add([call])
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let rows = try await sample.reader.page(TraceQuery(QuerySample.tenant, id: id)).rows
        #expect(rows.map(\.call?.model) == ["gpt-4o", "gpt-4o", "gpt-4o"])
        let text = QueryTraceCommand.table(rows, TraceTree(rows))
        #expect(text.split(separator: "\n")[0].hasSuffix(", 2 calls: 0.015 USD"), "\(text)")
    }
}

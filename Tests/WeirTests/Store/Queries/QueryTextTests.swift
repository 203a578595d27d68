import Testing

@testable import Weir

/// What queries are made of: ids, cursors, windows, SQL.
@Suite struct QueryTextTests {
    @Test func aTraceIDIsThirtyTwoDigits() throws {
        let id = try #require(TraceID("0AF7651916cd43dd8448eb211c80319c"))
        #expect(id.text == "0af7651916cd43dd8448eb211c80319c")
        for text in [
            "", "0af7651916cd43dd8448eb211c80319", "0af7651916cd43dd8448eb211c80319cc",
            "0af7651916cd43dd8448eb211c80319g", "+af7651916cd43dd8448eb211c80319c", String(repeating: "0", count: 32),
            "0af76519-16cd-43dd-8448-eb211c80319c", "é" + String(repeating: "0", count: 30),
        ] {
            #expect(TraceID(text) == nil, "\(text)")
        }
    }

    @Test func aCursorIsReadBack() throws {
        let cursor = SpanCursor(start: 1_770_091_200_000_000, row: 1 << 40 | 3)
        #expect(try SpanCursor(cursor.text) == cursor)
        for text in ["", "1", cursor.text + "0", "-" + cursor.text.dropFirst(), String(repeating: "f", count: 32)] {
            #expect(throws: QueryError.self, "\(text)") { try SpanCursor(text) }
        }
        // More microseconds than nanoseconds can be counted of.
        let last = UInt64.max / 1_000
        for start in [UInt64(Int64.max), last] {
            #expect(throws: QueryError.self) { try SpanCursor(start.digits(16, radix: 16) + cursor.text.suffix(16)) }
        }
        var search = SpanSearch(Tenant("default"), in: .always)
        search.after = try SpanCursor((last - 1).digits(16, radix: 16) + cursor.text.suffix(16))
        #expect(search.remaining.to?.nanoseconds == last * 1_000)
        #expect(search.sql(in: search.remaining, atMost: 1, .sqlite).rendered(for: .sqlite).values.count > 0)
    }

    @Test func partsOfAWindowCoverItOnce() {
        let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
        let day = TimeWindow(last: .seconds(86_400), before: now)
        let windows = [
            day, .always, TimeWindow(from: day.from, to: now), TimeWindow(from: now),
            TimeWindow(from: Timestamp(nanoseconds: now.nanoseconds + 5)),
            TimeWindow(from: Timestamp(nanoseconds: now.nanoseconds - 5), to: now),
        ]
        for window in windows {
            let parts = window.newestFirst(at: now)
            #expect(parts.first?.to == window.to && parts.last?.from == window.from)
            for (later, earlier) in zip(parts, parts.dropFirst()) { #expect(earlier.to == later.from) }
            #expect(parts.allSatisfy { !$0.isEmpty } && parts.count < 20)
        }
        #expect(day.newestFirst(at: now).count == 5)
    }

    @Test func valuesAreNeverWords() {
        let name = "x'; DROP TABLE spans; --"
        let text: SQLText = "SELECT 1 WHERE a = \(.text(name)) AND b < \(.integer(5)) AND \("c" as SQLText)"
        let postgres = text.rendered(for: .postgres)
        #expect(postgres.text == "SELECT 1 WHERE a = $1::text AND b < $2::bigint AND c" && postgres.values.count == 2)
        #expect(text.rendered(for: .sqlite).text == "SELECT 1 WHERE a = ?1 AND b < ?2 AND c")
        #expect(SQLDialect.postgres.text(of: .row(7 << 16 | 9)) == "(7,9)")
    }

    @Test func windowsOfRollupsAreWholeMinutes() {
        let minute: UInt64 = 60_000_000_000
        let window = TimeWindow(
            from: Timestamp(nanoseconds: 5 * minute + 1), to: Timestamp(nanoseconds: 7 * minute + 1))
        #expect(
            window.wholeMinutes
                == TimeWindow(from: Timestamp(nanoseconds: 5 * minute), to: Timestamp(nanoseconds: 8 * minute)))
        #expect(window.wholeMinutes.wholeMinutes == window.wholeMinutes)
    }

    @Test func rowsThatNobodyWritesAreAnError() {
        var reader = ColumnReader(["x", nil])
        #expect(throws: QueryError.unreadable("\"x\" in column 1, wanted a number")) { try reader.integer() }
        #expect(throws: QueryError.unreadable("NULL in column 2")) { try reader.text() }
        #expect(throws: QueryError.self) { try reader.optionalText() }
    }

    @Test func tooManySumsAreRefused() throws {
        let query = ServicesQuery(Tenant("a"), in: .always)
        func rows(_ names: Range<Int>) -> [ServiceSummary] {
            names.map { ServiceSummary(service: "\($0)", spans: 1, errors: 0, lastSeen: Timestamp(nanoseconds: 1)) }
        }
        var all: [ServiceSummary] = []
        try query.merge(rows(0..<50_000), into: &all)
        try query.merge(rows(0..<50_000), into: &all)
        #expect(all.count == 50_000 && all.allSatisfy { $0.spans == 2 })
        let error = #expect(throws: QueryError.self) { try query.merge(rows(50_000..<50_001), into: &all) }
        #expect(error?.description.hasPrefix("found more than 50000 sums, wanted a shorter window") == true)
    }

    @Test func noAnswerIsWaitedForLongerThanTheTimeOut() async {
        let limit = TimeLimit(duration: .milliseconds(1))
        await #expect(throws: QueryError.timedOut(limit.duration)) {
            try await limit.run { () async throws(QueryError) -> Int in
                // Ends when it is cancelled.
                for await _ in AsyncStream<Int>(unfolding: { await Self.forever() }) {}
                return 1
            }
        }
    }

    private static func forever() async -> Int? {
        let (stream, _) = AsyncStream<Int>.makeStream()
        for await number in stream { return number }
        return nil
    }
}

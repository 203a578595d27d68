import Foundation
import GRDB
import Testing

@testable import Weir

/// What the reader makes of files that are not as they should be.
@Suite struct SQLiteReaderTests {
    private let tenant = Tenant("default")
    private let window = QuerySample.window

    @Test func whereThereIsNoDirectoryThereAreNoSpans() async throws {
        let reader = SQLiteReader(SQLiteDirectory("/nonexistent/hot"))
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.isEmpty)
        #expect(try await reader.page(CostQuery(.one(tenant), by: .model, in: window)).rows.isEmpty)
    }

    @Test func aDamagedFileIsNamed() async throws {
        let directory = try TemporaryDirectory()
        let sample = try SQLiteSample(in: directory)
        try await sample.export(PostgresSample.record(1, 1...3))
        await sample.exporter.finish()
        try String(repeating: "no database", count: 100).write(
            toFile: "\(sample.path)/spans-20260202.db", atomically: true, encoding: .utf8)
        let reader = SQLiteReader(SQLiteDirectory(sample.path), .patient)
        var search = SpanSearch(tenant, in: window)
        let error = await #expect(throws: QueryError.self) { try await reader.page(search) }
        guard case .unavailable(let reason)? = error else {
            Issue.record("found \(String(describing: error)), wanted one that says why")
            return
        }
        #expect(reason.contains("hot/spans-20260202.db") && reason.contains("is damaged"))
        // A page that is full before does not need it.
        search.limit = 1
        #expect(try await reader.page(search).rows.count == 1)
    }

    @Test func noSearchSortsMoreThanTheSpansOfTenSeconds() async throws {
        let sample = try SQLiteSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        let queue = try SQLiteDirectory(sample.path).reader(Day(Timestamp(nanoseconds: SampleBatch.fourOClock)))
        func plan(_ change: (inout SpanSearch) -> Void) throws -> String {
            var search = SpanSearch(tenant, in: window)
            change(&search)
            let (text, values) = search.sql(in: window, atMost: 10, .sqlite).rendered(for: .sqlite)
            let nothing = StatementArguments(Array(repeating: Int?.none, count: values.count))
            return try queue.read { db in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(text)", arguments: nothing).map { $0["detail"] }
                    .joined(separator: "\n")
            }
        }
        let plans = [
            (try plan { _ in }, "spans_time"), (try plan { $0.service = "a" }, "spans_time"),
            (try plan { $0.after = SpanCursor(start: 5, row: 6) }, "spans_time (<expr>>?"),
            (try plan { $0.onlyRoots = true }, "spans_time"), (try plan { $0.status = 2 }, "spans_error"),
            (try plan { ($0.status, $0.service) = (2, "a") }, "spans_error"),
            (try plan { ($0.service, $0.name) = ("a", "b") }, "spans_operation"),
            (try plan { $0.sessionID = "s" }, "spans_session"), (try plan { $0.userID = "u" }, "spans_user"),
            (try plan { ($0.callID, $0.status) = ("c", 2) }, "spans_call"),
            (try plan { $0.conversationID = "c" }, "spans_conversation"),
        ]
        for (plan, index) in plans {
            #expect(plan.contains("USING INDEX \(index)") && !plan.contains("B-TREE FOR ORDER BY"), "\(plan)")
        }
    }

    /// The sorter would have all the texts of a trace, and that of its resource once for each span.
    @Test func aTraceIsSortedBeforeAnythingLongIsRead() async throws {
        let sample = try SQLiteSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        let queue = try SQLiteDirectory(sample.path).reader(Day(Timestamp(nanoseconds: SampleBatch.fourOClock)))
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let (text, values) = TraceQuery(tenant, id: id).sql(in: .always, atMost: 10, .sqlite).rendered(for: .sqlite)
        let nothing = StatementArguments(Array(repeating: Int?.none, count: values.count))
        let plan: [String] = try await queue.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(text)", arguments: nothing).map { $0["detail"] }
        }
        let sort = try #require(plan.firstIndex { $0.contains("FOR ORDER BY") })
        let resources = try #require(plan.firstIndex { $0.hasPrefix("SEARCH r ") })
        #expect(sort < resources && plan.count { $0.contains("FOR ORDER BY") } == 1, "\(plan)")
        #expect(plan.contains { $0.contains("USING INDEX spans_trace") }, "\(plan)")
    }

    @Test(.hangLimit) func aQueryThatTakesTooLongIsEnded() async throws {
        let sample = try SQLiteSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        let reader = SQLiteReader(SQLiteDirectory(sample.path), TimeLimit(duration: .nanoseconds(1)))
        await #expect(throws: QueryError.timedOut(.nanoseconds(1))) {
            // Rows without end, were it not for the time-out.
            try await reader.page(EndlessQuery(tenants: .one(tenant), window: window))
        }
    }
}

/// Has an answer that never ends.
private struct EndlessQuery: StoreQuery {
    static let limits = QueryLimits(default: 1, maximum: 1)
    let tenants: TenantScope
    var window: TimeWindow
    var limit = 1

    func wanted(after rows: [Int64]) -> Int { 1 }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> Int64 { try columns.integer() }

    func merge(_ found: [Int64], into rows: inout [Int64]) { rows += found }

    func page(of rows: [Int64]) -> Page<Int64> { Page(rows, limit: limit) }
}

import Foundation
import Testing

@testable import Weir

/// What the reader makes of files that are not as they should be.
@Suite struct SQLiteReaderTests {
    private let tenant = Tenant("default")
    private let window = QuerySample.window

    @Test func whereThereIsNoDirectoryThereAreNoSpans() async throws {
        let reader = SQLiteReader(SQLiteDirectory("/nonexistent/hot"))
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.isEmpty)
        #expect(try await reader.page(UsageQuery(tenant, by: .model, in: window)).rows.isEmpty)
    }

    @Test func aDamagedFileIsNamed() async throws {
        let directory = try TemporaryDirectory()
        let sample = try SQLiteSample(in: directory)
        try await sample.export(PostgresSample.record(1, 1...3))
        await sample.exporter.finish()
        try String(repeating: "no database", count: 100).write(
            toFile: "\(sample.path)/spans-20260202.db", atomically: true, encoding: .utf8)
        let reader = SQLiteReader(SQLiteDirectory(sample.path))
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

    @Test func aQueryThatTakesTooLongIsEnded() async throws {
        let sample = try SQLiteSample()
        try await sample.export(PostgresSample.record(1, 1...3))
        let reader = SQLiteReader(SQLiteDirectory(sample.path), TimeLimit(duration: .nanoseconds(1)))
        let started = ContinuousClock.now
        await #expect(throws: QueryError.timedOut(.nanoseconds(1))) {
            // Rows without end, were it not for the time-out.
            try await reader.page(EndlessQuery(tenant: tenant, window: window))
        }
        #expect(.now - started < .seconds(30))
    }
}

/// Has an answer that never ends.
private struct EndlessQuery: StoreQuery {
    static let limits = QueryLimits(default: 1, maximum: 1)
    var tenant: Tenant
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

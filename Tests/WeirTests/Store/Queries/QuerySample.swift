import Testing

@testable import Weir

/// The databases that the hot tables may be in.
enum HotDatabase: CaseIterable {
    case sqlite, postgres
}

/// Hot tables in either database, written by its exporter, and who reads them.
final class QuerySample {
    static let start = SampleBatch.fourOClock
    static let second: UInt64 = 1_000_000_000
    static let tenant = Tenant("default")

    let reader: any StoreReader
    let store: HotTables
    /// The rows of a statement, their fields with bars between.
    let lines: (String) throws -> [String]
    private let export: (JournalRecord) async throws -> Void
    private var sequence: UInt64 = 0

    init(_ database: HotDatabase) throws {
        switch database {
        case .sqlite:
            let sample = try SQLiteSample()
            export = { try await sample.export($0) }
            lines = { try sample.lines($0) }
            store = .sqlite(SQLiteDirectory(sample.path))
            reader = store.reader(.default)
        case .postgres:
            let sample = try PostgresSample()
            export = { try await sample.export($0) }
            lines = { try sample.rows($0) }
            store = .postgres(connection: sample.schema.connection, schema: sample.schema.name)
            reader = PostgresReader(
                sample.schema.connection, schema: sample.schema.name, clock: { [clock = sample.clock] in clock.now })
        }
    }

    func add(_ record: JournalRecord) async throws { try await export(record) }

    /// Stores the spans as one record.
    func add(_ spans: [SpanFixture], tenant: String = "default") async throws {
        sequence += 1
        try await export(
            JournalRecord(
                sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: Self.start),
                spanCount: spans.count, payload: SpanFixture.request(spans)))
    }

    /// - Parameters:
    ///   - start: nanoseconds after ``start``.
    ///   - lasts: nanoseconds.
    static func span(
        _ id: UInt64, start: Int64 = 0, lasts: UInt64 = 1_000, name: String = "work", service: String = "shop",
        _ attributes: [(String, NewValue)] = []
    ) -> SpanFixture {
        var span = SpanFixture()
        span.traceID = (1, id)
        span.spanID = id
        span.name = name
        span.resource = [NewPair(key: "service.name", value: .string(service))]
        span.startTime = UInt64(Int64(Self.start) + start)
        span.endTime = span.startTime + lasts
        span.attributes = attributes.map { NewPair(key: $0, value: $1) }
        return span
    }

    /// A call of a model.
    static func call(
        _ id: UInt64, start: Int64 = 0, model: String, user: String? = nil, agent: String? = nil, tokens: Int64? = nil,
        cost: Double? = nil
    ) -> SpanFixture {
        var attributes: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model)),
        ]
        if let user { attributes.append(("user.id", .string(user))) }
        if let agent { attributes.append(("gen_ai.agent.name", .string(agent))) }
        if let tokens { attributes.append(("gen_ai.usage.input_tokens", .int(tokens))) }
        if let cost { attributes.append(("gen_ai.usage.cost", .double(cost))) }
        return span(id, start: start, name: "chat", attributes)
    }

    static let day = Int64(Day.nanoseconds)

    /// Everything that the samples may hold.
    static let window = TimeWindow(from: Timestamp(nanoseconds: start - 10 * Day.nanoseconds))

    /// The ids that a search finds.
    func ids(_ change: (inout SpanSearch) -> Void = { _ in }) async throws -> [UInt64] {
        var search = SpanSearch(Self.tenant, in: Self.window)
        change(&search)
        return try await reader.page(search).rows.map(\.spanID)
    }
}

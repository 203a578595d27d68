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
    /// The rows of a statement, their fields with bars between: of the day of ``start``.
    let lines: (String) throws -> [String]
    /// Those of what outlives days.
    let lasting: (String) throws -> [String]
    /// Changes the tables of that day, as somebody else may.
    let change: (String) throws -> Void
    private let directory: TemporaryDirectory?
    private let schema: PostgresSchema?
    private let exporter: any Exporter
    private let metrics: MetricRegistry
    private let database: HotDatabase
    private let journal: JournalID
    private var sequence: UInt64 = 0

    /// - Parameter other: whose tables a second exporter writes as well.
    init(_ database: HotDatabase, beside other: QuerySample? = nil, journal: UInt64 = 7) throws {
        self.database = database
        self.journal = JournalID(value: journal)
        switch database {
        case .sqlite:
            let sample = try SQLiteSample(in: other?.directory)
            (directory, schema) = (sample.directory, nil)
            (exporter, metrics) = (sample.exporter, sample.metrics)
            lines = { try sample.lines($0) }
            lasting = { try sample.lines($0, day: nil) }
            change = { try sample.change($0) }
            store = .sqlite(SQLiteDirectory(sample.path))
            reader = store.reader(.patient)
        case .postgres:
            let sample = try PostgresSample(schema: other?.schema)
            (directory, schema) = (nil, sample.schema)
            (exporter, metrics) = (sample.exporter, sample.metrics)
            lines = { try sample.rows($0) }
            lasting = lines
            change = { _ = try sample.rows($0) }
            store = .postgres(connection: sample.schema.connection, schema: sample.schema.name)
            reader = PostgresReader(
                sample.schema.connection, schema: sample.schema.name, .patient,
                clock: { [clock = sample.clock] in clock.now })
        }
    }

    func add(_ records: JournalRecord...) async throws(ExportError) {
        try await exporter.export(FrozenBatch(journal: journal, records: records, recoveredThrough: .max))
    }

    /// What the exporter has counted; nil for a metric that it does not have.
    func count(_ metric: String) -> Int? {
        let lines = metrics.render().split(separator: "\n")
        let line = lines.first { $0.hasPrefix("weir_\(database)_\(metric){") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    }

    /// Stores the spans as one record.
    func add(_ spans: [SpanFixture], tenant: String = "default") async throws {
        sequence += 1
        try await add(
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

import Testing

@testable import Weir

/// A `postgres` exporter with a schema of its own, and what stands in its tables.
struct PostgresSample {
    let schema: PostgresSchema
    let clock = TestClock()
    let log = LogCapture()
    let metrics = MetricRegistry()
    let exporter: PostgresExporter

    /// - Parameters:
    ///   - keys: of the exporter, but `connection` and `schema`.
    ///   - connection: another one than the superuser's.
    init(_ keys: String..., schema: PostgresSchema? = nil, connection: String? = nil) throws {
        let schema = try schema ?? PostgresSchema()
        self.schema = schema
        let own = ["connection: \"\(connection ?? schema.connection)\"", "schema: \(schema.name)"]
        let configuration = try #require(read(PostgresConfiguration.self, (own + keys).joined(separator: "\n")))
        let context = Context(id: ComponentID(type: "postgres"), logger: log.logger, metrics: metrics)
        exporter = PostgresExporter(configuration, context, clock: { [clock] in clock.now })
    }

    /// A record of spans with these ids, which all start when it was received.
    static func record(_ sequence: UInt64, _ ids: ClosedRange<UInt64>, tenant: String = "default") -> JournalRecord {
        SampleBatch.record(ids.map { ($0, SampleBatch.fourOClock) }, tenant: tenant, sequence: sequence)
    }

    static func record(_ sequence: UInt64, _ spans: [SpanFixture]) -> JournalRecord {
        JournalRecord(
            sequence: sequence, tenant: "default", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock),
            spanCount: spans.count, payload: SpanFixture.request(spans))
    }

    /// - Parameter recoveredThrough: the last record that another process may have exported.
    func export(
        _ records: JournalRecord..., journal: UInt64 = 7, recoveredThrough: UInt64 = .max
    ) async throws(ExportError) {
        try await exporter.export(
            FrozenBatch(journal: JournalID(value: journal), records: records, recoveredThrough: recoveredThrough))
    }

    /// What `export` throws.
    func failure(_ records: JournalRecord..., recoveredThrough: UInt64 = .max) async -> ExportError? {
        do throws(ExportError) {
            try await exporter.export(
                FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: recoveredThrough))
            return nil
        } catch {
            return error
        }
    }

    func rows(_ sql: String) throws -> [String] { try schema.rows(sql) }

    /// Of `spans`, in their order.
    func spanIDs() throws -> [UInt64] {
        try rows("SELECT span_id FROM spans ORDER BY span_id").compactMap { UInt64($0) }
    }

    func count(_ metric: String) -> Int {
        metrics.counter("weir_postgres_\(metric)", help: "", labels: ["exporter": "postgres"]).value
    }
}

extension ExportError {
    /// Of one that asks to be sent again.
    var retryReason: String? {
        if case .retryable(let reason, _) = self { reason } else { nil }
    }
}

import Foundation
import GRDB
import Testing

@testable import Weir

/// Hot tables in a directory of their own, and what readers find in them.
struct SQLiteSample {
    static let today = "20260203"
    static let day = Day.nanoseconds

    let directory: TemporaryDirectory
    let path: String
    let clock: TestClock
    let log = LogCapture()
    let metrics = MetricRegistry()
    let exporter: SQLiteExporter
    private let journal: JournalID

    /// - Parameters:
    ///   - keys: of the exporter, but `directory`.
    ///   - directory: the one above the tables, which are in `hot`.
    init(
        _ keys: String..., in directory: TemporaryDirectory? = nil, clock: TestClock = TestClock(), journal: UInt64 = 7,
        mayDrop: @escaping @Sendable (Day) async -> Bool? = { _ in true }
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        self.clock = clock
        path = "\(directory.path)/hot"
        self.journal = JournalID(value: journal)
        let configuration = try #require(
            read(SQLiteConfiguration.self, (["directory: \(path)"] + keys).joined(separator: "\n")))
        let context = Context(id: ComponentID(type: "sqlite"), logger: log.logger, metrics: metrics)
        exporter = try SQLiteExporter(configuration, context, clock: { clock.now }, mayDrop: mayDrop)
    }

    func export(_ records: JournalRecord...) async throws(ExportError) {
        try await export(records)
    }

    /// - Parameter recoveredThrough: the last record that another process may have exported.
    func export(_ records: [JournalRecord], recoveredThrough: UInt64 = .max) async throws(ExportError) {
        try await exporter.export(FrozenBatch(journal: journal, records: records, recoveredThrough: recoveredThrough))
    }

    /// The reason of an export that has to be tried again.
    func refusal(_ records: [JournalRecord]) async -> String? {
        do throws(ExportError) {
            try await export(records)
            return nil
        } catch {
            guard case .retryable(let reason, nil) = error else {
                Issue.record("found \(error), wanted one that may pass")
                return nil
            }
            return reason.replacingOccurrences(of: path, with: "hot")
        }
    }

    /// What a query gives, a line for each row with `|` between columns: of a day's file, or of `meta.db` for nil.
    func lines(_ sql: String, day: String? = today) throws -> [String] {
        let name = day.map { "spans-\($0).db" } ?? "meta.db"
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: "\(path)/\(name)", configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { value in
                    switch value.storage {
                    case .null: "NULL"
                    case .int64(let number): "\(number)"
                    case .double(let number): "\(number)"
                    case .string(let text): text
                    case .blob(let data): data.map { UInt64($0).digits(2, radix: 16) }.joined()
                    }
                }.joined(separator: "|")
            }
        }
    }

    func spanIDs(day: String = today) throws -> [String] {
        try lines("SELECT span_id FROM spans ORDER BY span_id", day: day)
    }

    /// `first-last spans/rejected`
    func ledger(day: String = today) throws -> [String] {
        try lines(
            """
            SELECT first_sequence || '-' || last_sequence || ' ' || spans || '/' || rejected FROM ledger
            ORDER BY journal, first_sequence
            """, day: day)
    }

    func metric(_ name: String) -> Int? {
        let line = metrics.render().split(separator: "\n").first { $0.hasPrefix("weir_sqlite_\(name){") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    }

    /// Changes a file as somebody else may, through a connection of its own.
    func change(_ sql: String, day: String? = today) throws {
        let queue = try DatabaseQueue(path: "\(path)/\(day.map { "spans-\($0).db" } ?? "meta.db")")
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    }
}

extension SampleBatch {
    /// A record of OTLP/JSON; `start` stands for four o'clock.
    static func record(json: String, tenant: String = "default", sequence: UInt64 = 1) throws -> JournalRecord {
        var batch = Batch()
        var encoder = OTLPEncoder()
        let text = Array(json.replacingOccurrences(of: "START", with: "\(fourOClock)").utf8)
        try OTLPJSONDecoder().decode(text.withUnsafeBytes { Payload.copying($0) }, into: &batch)
        let message = encoder.encode(batch)
        let payload = try #require(message)
        return JournalRecord(
            sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: fourOClock),
            spanCount: batch.spanCount, payload: payload)
    }
}

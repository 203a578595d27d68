import GRDB

/// The file of what outlives days: which number a tenant has, and the spans that the tables did not take.
final class SQLiteMeta {
    struct Tenant: Sendable {
        let id: Int32
        let name: String
        /// Microseconds since 1970.
        let createdAt: Int64
    }

    struct Reject {
        let row: SpanRow
        let reason: String
        /// OTLP protobuf.
        let span: [UInt8]
    }

    private static let rejectColumns = [
        "rejected_at", "journal", "sequence", "place", "tenant_id", "trace_id", "span_id", "reason", "span",
    ]

    private let file: SQLiteFile
    private var ids: [String: Int32] = [:]
    /// By their numbers.
    private(set) var tenants: [Int32: Tenant] = [:]

    /// - Parameter directory: whose days know their tenants, should the file have to be made anew.
    init(in directory: SQLiteDirectory, at now: Timestamp) throws(SQLiteFailure) {
        file = try SQLiteFile(directory.metaPath, SQLiteMigration.meta, at: now)
        var known = try file.read { db in try Self.tenants(of: db) }
        if known.isEmpty {
            for day in try directory.days() { known += try Self.tenants(of: day, in: directory) }
            try file.write(at: now) { db in
                for tenant in known {
                    try db.execute(
                        sql: "INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        arguments: [tenant.id, tenant.name, tenant.createdAt])
                }
            }
        }
        for tenant in known { remember(tenant) }
    }

    /// The number of the tenant in every file of the directory.
    func tenantID(of name: String, at now: Timestamp) throws(SQLiteFailure) -> Int32 {
        if let id = ids[name] { return id }
        let tenant = try file.write(at: now) { db in
            try db.execute(
                sql: "INSERT INTO tenants (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [name, now.microseconds])
            return try Self.tenants(of: db, name: name).first
        }
        guard let tenant else { throw SQLiteFailure(file.path, "has no number for a tenant") }
        remember(tenant)
        return tenant.id
    }

    /// Keeps spans; those that it has already stay as they are.
    func keep(_ rejects: [Reject], of journal: JournalID, at now: Timestamp) throws(SQLiteFailure) {
        try file.write(at: now) { db in
            var insert = try SQLiteInsert(into: "rejects", Self.rejectColumns, conflict: "ON CONFLICT DO NOTHING", db)
            for reject in rejects {
                let row = reject.row
                try withUnsafeBytes(of: (row.traceIDHigh.bigEndian, row.traceIDLow.bigEndian)) { traceID in
                    try Array(reject.reason.utf8).withUnsafeBytes { reason in
                        try reject.span.withUnsafeBytes { span in
                            insert.add(now.microseconds)
                            insert.add(Int64(bitPattern: journal.value))
                            insert.add(Int64(bitPattern: row.sequence))
                            insert.add(Int64(row.place))
                            insert.add(Int64(row.tenantID))
                            insert.add(blob: traceID)
                            insert.add(Int64(bitPattern: row.spanID))
                            insert.add(text: reason)
                            insert.add(blob: span)
                            try insert.run(db)
                        }
                    }
                }
            }
        }
    }

    /// Forgets what was rejected before.
    func forgetRejects(before time: Timestamp, at now: Timestamp) throws(SQLiteFailure) {
        try file.write(at: now) { db in
            try db.execute(sql: "DELETE FROM rejects WHERE rejected_at < ?", arguments: [time.microseconds])
            // A window may be a month long, and what was said of it must not be said again.
            try db.execute(
                sql: "DELETE FROM budget_crossings WHERE crossed_at < ?",
                arguments: [time.microseconds - 31 * Day.microseconds])
        }
    }

    func checkpointIfIdle(at now: Timestamp) { file.checkpointIfIdle(at: now) }

    func close() { file.close() }

    private func remember(_ tenant: Tenant) {
        ids[tenant.name] = tenant.id
        tenants[tenant.id] = tenant
    }

    /// Who has rows on a day.
    static func tenants(of day: Day, in directory: SQLiteDirectory) throws(SQLiteFailure) -> [Tenant] {
        let reader = try directory.reader(day)
        do {
            return try reader.read { db in try tenants(of: db) }
        } catch {
            throw SQLiteFailure(directory.path(of: day), error)
        }
    }

    private static func tenants(of db: Database, name: String? = nil) throws -> [Tenant] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT id, name, created_at FROM tenants WHERE ? IS NULL OR name = ?", arguments: [name, name])
        return rows.map { Tenant(id: $0["id"], name: $0["name"], createdAt: $0["created_at"]) }
    }
}

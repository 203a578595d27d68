import GRDB

/// Looks for the spans of subjects in hot tables in SQLite, and erases them, beside whoever writes. What is erased is
/// not in the files any more, in no free page and in no log.
struct SQLiteErasure {
    let directory: SQLiteDirectory

    /// The traces that subjects have spans in.
    func traces(of matcher: SubjectMatcher, at now: Timestamp) throws(SQLiteFailure) -> Set<TraceID> {
        var traces: Set<TraceID> = []
        for day in try directory.days() {
            try change(try directory.open(day, at: now)) { file in
                // Only tables of the session are written, so that whoever writes to the file is not kept from it.
                try file.runAlone { db in
                    try db.inTransaction(.deferred) {
                        traces.formUnion(try SQLiteDayErasure(db, matcher)?.traces() ?? [])
                        return .rollback
                    }
                }
            }
        }
        return traces
    }

    /// - Parameter traces: all of the subjects' traces.
    func erase(
        _ matcher: SubjectMatcher, traces: Set<TraceID>, at now: Timestamp
    ) throws(SQLiteFailure) -> ErasedRows {
        var erased = ErasedRows()
        for day in try directory.days() {
            try change(try directory.open(day, at: now)) { file in
                let found = try file.write(at: now) { db in
                    let found = try SQLiteDayErasure(db, matcher)?.erase(traces, db) ?? ErasedRows()
                    if !found.isEmpty { try db.execute(sql: Self.owes) }
                    return found
                }
                try rewriteIfOwed(file)
                erased.add(found)
            }
        }
        if Directory.has(directory.metaPath) {
            try change(try SQLiteFile(directory.metaPath, SQLiteMigration.meta, at: now)) { file in
                erased.rejects += try file.write(at: now) { db in
                    let rejects = try eraseRejects(matcher, traces, db)
                    if rejects + (try eraseCrossings(matcher, traces, db)) > 0 { try db.execute(sql: Self.owes) }
                    return rejects
                }
                try rewriteIfOwed(file)
            }
        }
        return erased
    }

    /// What was taken out of a day.
    struct Removed {
        /// How many have nothing there any more.
        var tenants = 0
        var isFileGone = false
    }

    /// Takes all that tenants have out of a day's file, whatever is in it; where nobody else has anything, the file.
    /// The room of rows is given back by ``giveBackRoom(of:at:)``.
    ///
    /// Who has anything is asked where nobody can write: who waits for it finds the file gone and stores in another.
    func remove(
        on day: Day, at now: Timestamp, where isOver: (String) -> Bool
    ) throws(SQLiteFailure) -> Removed {
        let tables = ["spans", "llm_usage", "span_rollups", "cost_ledger", "cost_rollups", "resources", "scopes"]
        var removed = Removed()
        try change(try directory.open(day, at: now)) { file in
            removed = try file.write(at: now) { db in
                let tenants = try String.fetchAll(db, sql: "SELECT name FROM tenants")
                let over = tenants.filter(isOver)
                guard !over.isEmpty else { return Removed() }
                guard over.count < tenants.count else {
                    try directory.remove(day)
                    return Removed(tenants: over.count, isFileGone: true)
                }
                for tenant in over {
                    let id = "SELECT id FROM tenants WHERE name = ?"
                    for table in tables {
                        try db.execute(sql: "DELETE FROM \(table) WHERE tenant_id IN (\(id))", arguments: [tenant])
                    }
                    // Last: who has no row there has nothing in the file.
                    try db.execute(sql: "DELETE FROM tenants WHERE name = ?", arguments: [tenant])
                }
                try db.execute(sql: Self.owes)
                return Removed(tenants: over.count)
            }
        }
        return removed
    }

    /// Writes a day's file anew where that is owed.
    func giveBackRoom(of day: Day, at now: Timestamp) throws(SQLiteFailure) {
        let reader = try directory.reader(day)
        do {
            guard try reader.read({ db in try isOwed(db) }) else { return }
        } catch {
            throw SQLiteFailure(directory.path(of: day), error)
        }
        try change(try directory.open(day, at: now)) { try rewriteIfOwed($0) }
    }

    private func change(_ file: SQLiteFile, _ body: (SQLiteFile) throws -> Void) throws(SQLiteFailure) {
        defer { file.close() }
        do {
            try body(file)
        } catch {
            throw SQLiteFailure(file.path, error)
        }
    }

    /// Written with what is deleted: whoever is killed before the file was written anew does that the next time.
    private static let owes = "PRAGMA user_version = 1"

    private func isOwed(_ db: Database) throws -> Bool { try Int.fetchOne(db, sql: "PRAGMA user_version") != 0 }

    /// Leaves nothing of what was deleted: SQLite would keep it in free pages, in what pages have left, and in its log.
    private func rewriteIfOwed(_ file: SQLiteFile) throws {
        try file.runAlone { db in
            guard try isOwed(db) else { return }
            // The copy is made in a file, since a day's may be larger than the memory; what was erased is not in it.
            try db.execute(sql: "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY")
            let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            guard row?[0] == 0 else {
                throw SQLiteFailure(file.path, "is being read, so that its log cannot be emptied; try again")
            }
            try db.execute(sql: "PRAGMA user_version = 0")
        }
    }

    /// What was said of budgets of theirs.
    private func eraseCrossings(_ matcher: SubjectMatcher, _ traces: Set<TraceID>, _ db: Database) throws -> Int {
        let rows = try Row.fetchAll(
            db, sql: "SELECT rowid, scope, scope_id FROM budget_crossings WHERE tenant = ?",
            arguments: [matcher.group.tenant])
        var count = 0
        for row in rows where matcher.names(scope: row["scope"], id: row["scope_id"], traces) {
            try db.execute(sql: "DELETE FROM budget_crossings WHERE rowid = ?", arguments: [row["rowid"] as Int64])
            count += 1
        }
        return count
    }

    private func eraseRejects(_ matcher: SubjectMatcher, _ traces: Set<TraceID>, _ db: Database) throws -> Int {
        let tenant = try Int64.fetchOne(
            db, sql: "SELECT id FROM tenants WHERE name = ?", arguments: [matcher.group.tenant])
        guard let tenant else { return 0 }
        let rows = try Row.fetchAll(
            db, sql: "SELECT rowid, hex(span) AS span FROM rejects WHERE tenant_id = ?", arguments: [tenant])
        var batch = Batch(decodedLimit: .max)
        var count = 0
        for row in rows {
            let bytes = [UInt8](hexadecimal: row["span"]) ?? []
            let payload = bytes.withUnsafeBytes { Payload.copying($0) }
            try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
            var known = traces
            guard matcher.erase(in: &batch, &known) > 0 else { continue }
            try db.execute(sql: "DELETE FROM rejects WHERE rowid = ?", arguments: [row["rowid"] as Int64])
            count += 1
        }
        return count
    }
}

/// What was erased from hot tables.
struct ErasedRows: Equatable, Sendable {
    var spans = 0
    /// Rows of usage that lead to nobody any more.
    var calls = 0
    var rejects = 0
    /// Files or partitions that had something.
    var parts = 0

    var isEmpty: Bool { spans == 0 && calls == 0 && rejects == 0 }

    mutating func add(_ other: ErasedRows) {
        spans += other.spans
        calls += other.calls
        rejects += other.rejects
        parts += other.isEmpty ? 0 : 1
    }
}

/// The subjects' rows in the file of one day, within a transaction.
private struct SQLiteDayErasure {
    private let tenant: Int64
    private let family: SubjectFamily
    private let db: Database

    /// Nil where the day has nothing of the tenant. Makes tables of the session with the names of subjects that the
    /// day has, and the rows that are theirs.
    init?(_ db: Database, _ matcher: SubjectMatcher) throws {
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM tenants WHERE name = ?", arguments: [matcher.group.tenant])
        guard let id else { return nil }
        tenant = id
        family = matcher.group.family
        self.db = db
        try db.execute(
            sql: """
                DROP TABLE IF EXISTS temp.subject_names; DROP TABLE IF EXISTS temp.subject_spans;
                DROP TABLE IF EXISTS temp.subject_traces; DROP TABLE IF EXISTS temp.naming_resources;
                DROP TABLE IF EXISTS temp.odd_names;
                CREATE TEMP TABLE subject_names (name text PRIMARY KEY);
                CREATE TEMP TABLE odd_names (name text PRIMARY KEY);
                CREATE TEMP TABLE subject_spans (id integer PRIMARY KEY);
                CREATE TEMP TABLE subject_traces (id blob PRIMARY KEY);
                CREATE TEMP TABLE naming_resources (id integer PRIMARY KEY, is_subject integer NOT NULL);
                """)
        for name in try names() {
            guard let isOne = matcher.isSubjects(name) else { continue }
            if Envelope.isWhole(name) || Envelope.isBeginning(ofName: name) {
                try db.execute(sql: "INSERT INTO odd_names VALUES (?)", arguments: [name])
            }
            guard isOne else { continue }
            try db.execute(sql: "INSERT INTO subject_names VALUES (?)", arguments: [name])
        }
        try findRows()
    }

    /// What spans and calls of the tenant name by the attributes.
    private func names() throws -> [String] {
        var parts = [
            named(in: "spans s, json_each(s.attributes) j", "s"),
            named(in: "spans s, json_tree(s.events) j", "s") + " AND s.events IS NOT NULL",
            named(in: "resources s, json_each(s.attributes) j", "s"),
        ]
        if let column = family.column {
            parts += ["spans", "llm_usage", "cost_ledger"].map {
                "SELECT \(column) FROM \($0) WHERE tenant_id = \(tenant) AND \(column) IS NOT NULL"
            }
        }
        return try String.fetchAll(db, sql: parts.joined(separator: " UNION "))
    }

    private func named(in tables: String, _ alias: String) -> String {
        "SELECT CAST(j.atom AS text) FROM \(tables) WHERE \(alias).tenant_id = \(tenant) AND \(mayName)"
    }

    /// Whether `j` may say whose something is.
    private var mayName: String {
        "j.key IN (\(family.keysInSQL)) AND j.type IN ('text', 'integer', 'real') AND j.atom <> ''"
    }

    /// Whether it does. Ciphertext says nothing, but for the subject's own; that and a name that only begins like it
    /// are the odd ones.
    private var isName: String {
        let name = "CAST(j.atom AS text)"
        return "\(mayName) AND (\(name) NOT GLOB 'weir1.*' OR \(name) IN (SELECT name FROM odd_names))"
    }

    private var isSubjects: String { "\(isName) AND CAST(j.atom AS text) IN (SELECT name FROM subject_names)" }

    private func isColumn(_ alias: String) -> String {
        family.column.map { "\(alias).\($0) IN (SELECT name FROM subject_names)" } ?? "false"
    }

    private func findRows() throws {
        try db.execute(
            sql: """
                INSERT INTO naming_resources
                    SELECT r.id, max(CAST(j.atom AS text) IN (SELECT name FROM subject_names))
                    FROM resources r, json_each(r.attributes) j
                    WHERE r.tenant_id = \(tenant) AND \(isName) GROUP BY r.id
                """)
        guard try Int.fetchOne(db, sql: "SELECT count(*) FROM subject_names") != 0 else { return }
        try db.execute(
            sql: """
                INSERT INTO subject_spans SELECT s.rowid FROM spans s WHERE s.tenant_id = \(tenant) AND (
                    \(isColumn("s")) OR EXISTS (SELECT 1 FROM json_each(s.attributes) j WHERE \(isSubjects))
                    OR s.events IS NOT NULL AND EXISTS (SELECT 1 FROM json_tree(s.events) j WHERE \(isSubjects))
                    OR s.resource_id IN (SELECT id FROM naming_resources WHERE is_subject))
                """)
    }

    func traces() throws -> Set<TraceID> {
        let ids = try String.fetchAll(
            db,
            sql: """
                SELECT hex(s.trace_id) FROM spans s JOIN subject_spans e ON e.id = s.rowid
                UNION SELECT hex(u.trace_id) FROM llm_usage u WHERE u.tenant_id = \(tenant) AND \(isColumn("u"))
                """)
        return Set(ids.compactMap { TraceID($0) })
    }

    func erase(_ traces: Set<TraceID>, _ db: Database) throws -> ErasedRows {
        var insert = try SQLiteInsert(into: "subject_traces", ["id"], conflict: "ON CONFLICT DO NOTHING", db)
        for trace in traces {
            try withUnsafeBytes(of: (trace.high.bigEndian, trace.low.bigEndian)) { id in
                insert.add(blob: id)
                try insert.run(db)
            }
        }
        let isUnnamed =
            family.column.map {
                "(\($0) IS NULL OR \($0) GLOB 'weir1.*' AND \($0) NOT IN (SELECT name FROM odd_names)) AND"
            } ?? ""
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO subject_spans SELECT s.rowid FROM subject_traces t
                    JOIN spans s ON s.trace_id = t.id
                    WHERE s.tenant_id = \(tenant) AND \(isUnnamed)
                    s.resource_id NOT IN (SELECT id FROM naming_resources)
                    AND NOT EXISTS (SELECT 1 FROM json_each(s.attributes) j WHERE \(isName))
                    AND (s.events IS NULL OR NOT EXISTS (SELECT 1 FROM json_tree(s.events) j WHERE \(isName)))
                """)
        var erased = ErasedRows()
        // Sums of what calls cost stay what they were; nothing leads from them to anybody.
        func condition(_ table: String) -> String {
            """
            tenant_id = \(tenant) AND (\(isColumn(table)) OR \(isUnnamed) trace_id IN (SELECT id FROM subject_traces)
                OR EXISTS (SELECT 1 FROM spans s JOIN subject_spans e ON e.id = s.rowid
                    WHERE s.trace_id = \(table).trace_id AND s.span_id = \(table).span_id))
            """
        }
        try db.execute(
            sql: """
                UPDATE llm_usage SET trace_id = randomblob(16), span_id = random(), user_id = NULL, session_id = NULL,
                    conversation_id = NULL, call_id = NULL, response_id = NULL
                WHERE \(condition("llm_usage"))
                """)
        erased.calls = db.changesCount
        try db.execute(
            sql: CostErasure.statements(
                where: condition("cost_ledger"), ledger: "cost_ledger", rollups: "cost_rollups", .sqlite))
        try db.execute(sql: "DELETE FROM spans WHERE rowid IN (SELECT id FROM subject_spans)")
        erased.spans = db.changesCount
        try db.execute(
            sql: """
                DELETE FROM resources WHERE id IN (SELECT id FROM naming_resources WHERE is_subject)
                    AND id NOT IN (SELECT resource_id FROM spans)
                """)
        try db.execute(sql: "DELETE FROM subject_names")
        return erased
    }
}

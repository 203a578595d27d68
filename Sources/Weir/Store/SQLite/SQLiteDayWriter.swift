import GRDB
import GRDBSQLite

/// Writes rows of one day, within a transaction of the day's file.
struct SQLiteDayWriter {
    private static let usageColumns = UsageRow.columns.map { $0 == "total_cost" ? "total_cost_pico" : $0 }
    private static let rollupColumns = RollupRow.columns.map { $0 == "total_cost" ? "total_cost_pico" : $0 }

    private let db: Database
    private let records: SQLiteRecords
    private var ledger: RecordLedger
    private var spans: SQLiteInsert
    private var usage: SQLiteInsert
    /// What was written, by index in the rows.
    private var stored: [Int] = []
    /// The next row of usage.
    private var call = 0
    /// Spans that the tables do not take, by index in the rows, and why.
    private(set) var refused: [(index: Int, reason: String)] = []
    private(set) var counts = SQLiteCounts()

    init(_ records: SQLiteRecords, _ db: Database) throws {
        self.db = db
        self.records = records
        ledger =
            try records.isRestored
            ? .unheeded(records.journal) : RecordLedger(records.journal, records.sequences, of: db)
        try ledger.refuse(records.since.keys, after: records.known)
        spans = try SQLiteInsert(into: "spans", SpanRow.columns, db)
        // Not OR IGNORE, which ignores whatever else is wrong with a row.
        let conflict = "ON CONFLICT (trace_id, span_id, start_time, tenant_id) DO NOTHING"
        usage = try SQLiteInsert(into: "llm_usage", Self.usageColumns, conflict: conflict, db)
    }

    /// Writes what the file does not have yet, with all that belongs to it.
    /// - Parameters:
    ///   - indices: of the day's spans among the rows, in ascending order.
    ///   - tenants: by the numbers of the rows.
    ///   - over: tenants of whom nothing of the day is stored any more.
    mutating func write(
        _ indices: [Int], on day: Day, of rows: borrowing HotRows, _ tenants: [Int32: SQLiteMeta.Tenant],
        without over: Set<Int32>, at now: Timestamp
    ) throws {
        stored.reserveCapacity(indices.count)
        var records: Set<UInt64> = []
        for row in rows.sampledOut where row.day == day && !over.contains(row.key.tenantID) {
            if !ledger.has(row.sequence) { records.insert(row.sequence) }
        }
        let leftOut = rows.rollups(sampledOutOf: records.contains, on: { $0 == day })
        // Those of which nothing but rollups is left are noted in their turn: each goes on over those before it.
        var sampledOut = records.sorted()[...]
        var start = 0
        while start < indices.count {
            let sequence = rows.spans[indices[start]].sequence
            let end = indices[start...].firstIndex { rows.spans[$0].sequence != sequence } ?? indices.count
            while let next = sampledOut.first, next <= sequence {
                sampledOut.removeFirst()
                if next < sequence { note(record: next, spans: 0, rejected: 0) }
            }
            try write(record: sequence, indices[start..<end], of: rows)
            start = end
        }
        for sequence in sampledOut { note(record: sequence, spans: 0, rejected: 0) }
        guard !stored.isEmpty || !refused.isEmpty || !leftOut.isEmpty else { return }
        try writeTenants(Set(stored.map { rows.spans[$0].tenantID }).union(leftOut.keys.map(\.tenantID)), tenants)
        try writeDictionaries(of: rows)
        try SQLiteCostWriter(db).write(rows, stored: stored)
        try writeRollups(rows.rollups(of: stored).merging(leftOut) { $0.merged($1) })
        try ledger.save(to: db, at: now)
    }

    private mutating func note(record sequence: UInt64, spans: Int, rejected: Int) {
        ledger.add(sequence, since: records.since[sequence] ?? sequence, spans: spans, rejected: rejected)
    }

    private mutating func write(record sequence: UInt64, _ indices: ArraySlice<Int>, of rows: borrowing HotRows) throws
    {
        let spans = indices.count { !rows.spans[$0].isSampledOut }
        guard !ledger.has(sequence) else {
            counts.repeated += spans
            return
        }
        let refusedBefore = refused.count
        for index in indices {
            do {
                try insert(index, of: rows)
                stored.append(index)
                if rows.spans[index].isSampledOut { continue }
                counts.stored += 1
                if rows.spans[index].isClockSuspect { counts.clockSuspect += 1 }
            } catch let error as DatabaseError where isAboutRow(error) {
                refused.append((index, error.message ?? "SQLite \(error.extendedResultCode.rawValue)"))
            }
        }
        let rejected = refused.count - refusedBefore
        counts.rejected += rejected
        note(
            record: sequence, spans: spans - refused[refusedBefore...].count { !rows.spans[$0.index].isSampledOut },
            rejected: rejected)
    }

    /// Whether only this row was refused, and the transaction goes on. A trigger may have ended it.
    private func isAboutRow(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH: db.isInsideTransaction
        default: false
        }
    }

    /// A span, and what it used. Both or none. Of one that was sampled out only what it used.
    private mutating func insert(_ index: Int, of rows: borrowing HotRows) throws {
        let span = rows.spans[index]
        while call < rows.usage.count, rows.usage[call].span < index { call += 1 }
        try withUnsafeBytes(of: (span.traceIDHigh.bigEndian, span.traceIDLow.bigEndian)) { traceID in
            if !span.isSampledOut { try insert(span, traceID, of: rows) }
            guard call < rows.usage.count, rows.usage[call].span == index else { return }
            guard !span.isSampledOut else { return try insert(rows.usage[call], span, traceID, of: rows) }
            let row = db.lastInsertedRowID
            do {
                try insert(rows.usage[call], span, traceID, of: rows)
            } catch let error as DatabaseError where isAboutRow(error) {
                try db.execute(sql: "DELETE FROM spans WHERE rowid = ?", arguments: [row])
                throw error
            }
        }
    }
}

// MARK: - Rows, in the order of their columns

extension SQLiteDayWriter {
    private mutating func insert(
        _ row: SpanRow, _ traceID: UnsafeRawBufferPointer, of rows: borrowing HotRows
    ) throws {
        spans.add(row.clampedStart)
        spans.add(Int64(bitPattern: row.startTime))
        spans.add(row.duration)
        spans.add(blob: traceID)
        spans.add(Int64(bitPattern: row.spanID))
        spans.add(row.parentSpanID.map { Int64(bitPattern: $0) })
        spans.add(row.resourceID)
        spans.add(row.scopeID)
        spans.add(Int64(bitPattern: records.journal.value))
        spans.add(Int64(bitPattern: row.sequence))
        spans.add(Int64(row.tenantID))
        spans.add(Int64(Int32(bitPattern: row.flags)))
        spans.add(count: row.droppedAttributes)
        spans.add(count: row.droppedEvents)
        spans.add(count: row.droppedLinks)
        spans.add(Int64(row.kind))
        spans.add(Int64(row.status))
        spans.add(Int64(row.operation.rawValue))
        spans.add(row.isClockSuspect ? 1 : 0)
        spans.add(text: rows.bytes(row.service))
        spans.add(text: rows.bytes(row.name))
        spans.add(text: rows.bytes(row.statusMessage))
        spans.add(text: rows.bytes(row.traceState))
        spans.add(text: rows.bytes(row.sessionID))
        spans.add(text: rows.bytes(row.conversationID))
        spans.add(text: rows.bytes(row.userID))
        spans.add(text: rows.bytes(row.callID))
        spans.add(text: rows.bytes(row.attributes))
        spans.add(text: rows.bytes(row.events))
        spans.add(text: rows.bytes(row.links))
        spans.add(real: row.adjustedCount)
        try spans.run(db)
    }

    private mutating func insert(
        _ row: UsageRow, _ span: SpanRow, _ traceID: UnsafeRawBufferPointer, of rows: borrowing HotRows
    ) throws {
        usage.add(span.clampedStart)
        usage.add(blob: traceID)
        usage.add(Int64(bitPattern: span.spanID))
        usage.add(Int64(span.tenantID))
        usage.add(Int64(span.status))
        usage.add(Int64(span.operation.rawValue))
        usage.add(span.duration)
        usage.add(row.timeToFirstToken)
        usage.add(row.inputTokens)
        usage.add(row.outputTokens)
        usage.add(row.cacheReadTokens)
        usage.add(row.cacheWriteTokens)
        usage.add(row.reasoningTokens)
        usage.add(row.totalCost)
        usage.add(word: row.costSource?.name)
        usage.add(text: rows.bytes(span.service))
        usage.add(text: rows.bytes(row.provider))
        usage.add(text: rows.bytes(row.requestModel))
        usage.add(text: rows.bytes(row.model))
        usage.add(text: rows.bytes(row.responseID))
        usage.add(text: rows.bytes(row.agent))
        usage.add(text: rows.bytes(row.workflow))
        usage.add(text: rows.bytes(span.sessionID))
        usage.add(text: rows.bytes(span.conversationID))
        usage.add(text: rows.bytes(span.userID))
        usage.add(text: rows.bytes(span.callID))
        usage.add(text: rows.bytes(row.sampledOutBy))
        try usage.run(db)
    }

    private func writeTenants(_ ids: Set<Int32>, _ tenants: [Int32: SQLiteMeta.Tenant]) throws {
        for id in ids.sorted() {
            guard let tenant = tenants[id] else { continue }
            let insert = try db.cachedStatement(
                sql: "INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            try insert.execute(arguments: [tenant.id, tenant.name, tenant.createdAt])
            let name = try String.fetchOne(
                db.cachedStatement(sql: "SELECT name FROM tenants WHERE id = ?"), arguments: [id])
            guard name == tenant.name else {
                throw DatabaseError(
                    message: "found another tenant with the number that meta.db has given to one, wanted the meta.db"
                        + " with which this file was written")
            }
        }
    }

    private func writeDictionaries(of rows: borrowing HotRows) throws {
        let resourceIDs = Set(stored.map { rows.spans[$0].resourceID })
        let resources = try db.cachedStatement(
            sql: """
                INSERT INTO resources (id, tenant_id, attributes, schema_url) VALUES (?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """)
        for row in rows.resources where resourceIDs.contains(row.id) {
            try resources.execute(arguments: [row.id, row.tenantID, row.attributes, row.schemaURL])
        }
        let scopeIDs = Set(stored.map { rows.spans[$0].scopeID })
        let scopes = try db.cachedStatement(
            sql: """
                INSERT INTO scopes (id, tenant_id, name, version, attributes, schema_url) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """)
        for row in rows.scopes where scopeIDs.contains(row.id) {
            try scopes.execute(
                arguments: [row.id, row.tenantID, row.name, row.version, row.attributes, row.schemaURL])
        }
    }

    private func writeRollups(_ rollups: [RollupRow.Key: RollupRow]) throws {
        let places = Array(repeating: "?", count: Self.rollupColumns.count).joined(separator: ", ")
        let insert = try db.cachedStatement(
            sql: "INSERT INTO span_rollups (\(Self.rollupColumns.joined(separator: ", "))) VALUES (\(places))")
        for (key, row) in rollups {
            try insert.execute(
                arguments: [
                    key.minute * 60_000_000, key.tenantID, key.operation.rawValue, key.kind, row.spans, row.errors,
                    row.duration, row.inputTokens, row.outputTokens, row.totalCost, row.unpriced, row.durations.json,
                    key.service, key.name, key.model,
                ])
        }
    }
}

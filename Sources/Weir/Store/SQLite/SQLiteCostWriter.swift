import GRDB

/// Writes what calls cost into the ledger of a day, within a transaction of the day's file.
struct SQLiteCostWriter {
    private static let columns = CostRow.columns.map { $0 == "total_cost" ? "total_cost_pico" : $0 }

    private let db: Database

    init(_ db: Database) {
        self.db = db
    }

    /// - Parameter stored: the spans that the transaction has written, by index in the rows, in ascending order.
    func write(_ rows: borrowing HotRows, stored: [Int]) throws {
        try db.execute(
            sql: """
                CREATE TEMP TABLE IF NOT EXISTS touched_responses (
                    tenant_id integer, response_id text, PRIMARY KEY (tenant_id, response_id)) WITHOUT ROWID;
                CREATE TEMP TABLE IF NOT EXISTS touched_traces (trace_id blob PRIMARY KEY) WITHOUT ROWID;
                """)
        try writeEntries(of: rows, stored)
        try db.execute(sql: "WITH none AS (SELECT 1) \(CostCorrections.sqlite.duplicates)")
        if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM cost_ledger)") ?? false {
            try touchTraces(of: rows, stored)
            try correctTraces()
        }
        try db.execute(sql: "DELETE FROM touched_responses; DELETE FROM touched_traces")
    }

    private func writeEntries(of rows: borrowing HotRows, _ stored: [Int]) throws {
        guard !rows.costs.isEmpty else { return }
        let stored = Set(stored)
        let key = "ON CONFLICT (trace_id, span_id, start_time, tenant_id, entry) DO NOTHING"
        var entries = try SQLiteInsert(into: "cost_ledger", Self.columns, conflict: key, db)
        var responses = try SQLiteInsert(
            into: "touched_responses", ["tenant_id", "response_id"], conflict: "ON CONFLICT DO NOTHING", db)
        for index in rows.costs.indices {
            let cost = rows.costs[index]
            guard stored.contains(cost.usage.span) else { continue }
            try insert(cost, into: &entries, of: rows)
            guard let response = rows.bytes(cost.usage.responseID) else { continue }
            responses.add(Int64(rows.spans[cost.usage.span].tenantID))
            responses.add(text: response)
            try responses.run(db)
        }
    }

    private func touchTraces(of rows: borrowing HotRows, _ stored: [Int]) throws {
        var ids: Set<TraceID> = []
        for index in stored { ids.insert(rows.spans[index].trace) }
        var traces = try SQLiteInsert(into: "touched_traces", ["trace_id"], db)
        for id in ids {
            try withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { bytes in
                traces.add(blob: bytes)
                try traces.run(db)
            }
        }
    }

    private func correctTraces() throws {
        let entries = try Int.fetchOne(
            db,
            sql: """
                SELECT count(*) FROM (
                    SELECT 1 FROM touched_traces t CROSS JOIN cost_ledger l ON l.trace_id = t.trace_id
                        LIMIT \(CostCorrections.maximumEntries + 1))
                """)
        guard let entries, entries > 0 else { return }
        let corrections = CostCorrections.sqlite(entries: entries)
        for correction in [corrections.nested, corrections.leaves, corrections.agents] {
            try db.execute(sql: "WITH RECURSIVE none AS (SELECT 1) \(correction)")
        }
    }

    private func insert(_ cost: CostRow, into entries: inout SQLiteInsert, of rows: borrowing HotRows) throws {
        let (usage, span) = (cost.usage, rows.spans[cost.usage.span])
        try withUnsafeBytes(of: (span.traceIDHigh.bigEndian, span.traceIDLow.bigEndian)) { traceID in
            entries.add(span.clampedStart)
            entries.add(blob: traceID)
            entries.add(Int64(bitPattern: span.spanID))
            entries.add(0)
            entries.add(Int64(span.tenantID))
            entries.add(word: cost.reason.name)
            entries.add(word: cost.status.name)
            entries.add(Int64(cost.calls))
            entries.add(Int64(cost.unpriced))
            entries.add(usage.inputTokens)
            entries.add(usage.outputTokens)
            entries.add(usage.cacheReadTokens)
            entries.add(usage.cacheWriteTokens)
            entries.add(usage.reasoningTokens)
            entries.add(usage.totalCost)
            entries.add(word: usage.costSource?.name)
            entries.add(text: rows.bytes(cost.price))
            entries.add(text: rows.bytes(cost.serviceTier))
            entries.add(text: rows.bytes(cost.parts))
            entries.add(Int64(span.operation.rawValue))
            entries.add(span.parentSpanID.map { Int64(bitPattern: $0) })
            entries.add(span.isSampledOut ? 1 : 0)
            entries.add(text: rows.bytes(span.service))
            entries.add(text: rows.bytes(usage.provider))
            entries.add(text: rows.bytes(usage.requestModel))
            entries.add(text: rows.bytes(usage.model))
            entries.add(text: rows.bytes(usage.responseID))
            entries.add(text: rows.bytes(usage.agent))
            entries.add(text: rows.bytes(usage.workflow))
            entries.add(text: rows.bytes(span.sessionID))
            entries.add(text: rows.bytes(span.conversationID))
            entries.add(text: rows.bytes(span.userID))
            entries.add(text: rows.bytes(span.callID))
            try entries.run(db)
        }
    }
}

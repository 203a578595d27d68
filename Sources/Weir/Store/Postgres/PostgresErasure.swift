/// Looks for the spans of subjects in hot tables in Postgres, and erases them, a day at a time, beside whoever writes.
struct PostgresErasure {
    /// Traces that one statement is given.
    private static let piece = 10_000

    private let connection: PostgresConnection
    private let matcher: SubjectMatcher
    private let family: SubjectFamily
    /// Of the tenant; nil where it has no spans.
    private let tenant: Int64?

    /// - Parameter connection: nobody else's.
    init(_ connection: PostgresConnection, _ matcher: SubjectMatcher) throws(PostgresError) {
        self.connection = connection
        self.matcher = matcher
        family = matcher.group.family
        try PostgresMigrations.apply(on: connection)
        let rows = try connection.run("SELECT id FROM tenants WHERE name = $1", [.text(matcher.group.tenant)])
        tenant = rows.count > 0 ? rows.int(0, 0) : nil
        // A day's statements may take long, and until one is done the server says nothing.
        connection.maxSilence = .seconds(86_400)
        try connection.run(
            """
            SET statement_timeout = 0;
            CREATE TEMP TABLE IF NOT EXISTS subject_names (name text PRIMARY KEY);
            CREATE TEMP TABLE IF NOT EXISTS odd_names (name text PRIMARY KEY);
            CREATE TEMP TABLE IF NOT EXISTS subject_traces (id uuid PRIMARY KEY);
            CREATE TEMP TABLE IF NOT EXISTS naming_resources (id bigint PRIMARY KEY, is_subject boolean NOT NULL);
            CREATE TEMP TABLE IF NOT EXISTS subject_spans (trace_id uuid, span_id bigint, place tid)
            """)
    }

    /// The traces that subjects have spans in.
    func traces() throws(PostgresError) -> Set<TraceID> {
        var traces: Set<TraceID> = []
        for day in try days() {
            try begin(day)
            let rows = try connection.run(
                """
                SELECT trace_id FROM subject_spans
                UNION SELECT trace_id FROM \(table("llm_usage", day)) u WHERE \(isTenants("u")) AND \(isColumn("u"))
                """)
            for row in 0..<rows.count {
                let digits = rows.text(row, 0)?.filter { $0 != "-" } ?? ""
                if let trace = TraceID(digits) { traces.insert(trace) }
            }
            try connection.run("ROLLBACK")
        }
        return traces
    }

    /// - Parameters:
    ///   - traces: all of the subjects' traces.
    ///   - rewrites: leaves no byte of what was deleted in the partitions, which are locked for as long.
    func erase(_ traces: Set<TraceID>, rewrites: Bool) throws -> ErasedRows {
        try connection.run("TRUNCATE subject_traces")
        var rest = Array(traces)[...]
        while !rest.isEmpty {
            try connection.run(
                "INSERT INTO subject_traces SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
                [.array(rest.prefix(Self.piece).map(\.text))])
            rest = rest.dropFirst(Self.piece)
        }
        var erased = ErasedRows()
        var resources: Set<String> = []
        for day in try days() { erased.add(try erase(day, rewrites: rewrites, &resources)) }
        if !resources.isEmpty {
            try connection.run("DELETE FROM resources WHERE id = ANY ($1::bigint[])", [.array(resources)])
        }
        erased.add(try eraseRejects(traces))
        try eraseCrossings(traces)
        return erased
    }

    /// - Parameter resources: to which the ids of those are added that name a subject: no span has them any more.
    private func erase(
        _ day: Day, rewrites: Bool, _ resources: inout Set<String>
    ) throws(PostgresError) -> ErasedRows {
        try begin(day)
        let naming = try connection.run("SELECT id FROM naming_resources WHERE is_subject")
        resources.formUnion((0..<naming.count).compactMap { naming.text($0, 0) })
        let (spans, usage) = (table("spans", day), table("llm_usage", day))
        let isUnnamed =
            family.column.map {
                "(\($0) IS NULL OR \($0) LIKE 'weir1.%' AND \($0) NOT IN (SELECT name FROM odd_names)) AND"
            } ?? ""
        try connection.run(
            """
            INSERT INTO subject_spans SELECT s.trace_id, s.span_id, s.ctid FROM \(spans) s
                WHERE s.trace_id IN (SELECT id FROM subject_traces) AND \(isTenants("s")) AND \(isUnnamed)
                s.resource_id NOT IN (SELECT id FROM naming_resources)
                AND NOT EXISTS (SELECT 1 FROM jsonb_each_text(s.attributes) j WHERE \(isName))
                AND NOT EXISTS (SELECT 1 FROM \(eventNames("s")) WHERE \(isName))
            """)
        var erased = ErasedRows()
        // Sums of what calls cost stay what they were; nothing leads from them to anybody.
        func condition(_ alias: String) -> String {
            """
            \(isTenants(alias)) AND (\(isColumn(alias)) OR \(isUnnamed) trace_id IN (SELECT id FROM subject_traces)
                OR (trace_id, span_id) IN (SELECT trace_id, span_id FROM subject_spans))
            """
        }
        // As whoever stores: before it waits for a row, or they would wait in a circle.
        try PostgresLock.take("costs", on: connection)
        erased.calls =
            try connection.run(
                """
                UPDATE \(usage) u SET trace_id = gen_random_uuid(), span_id = (random() * 9e18)::bigint, user_id = NULL,
                    session_id = NULL, conversation_id = NULL, call_id = NULL, response_id = NULL
                WHERE \(condition("u"))
                """
            ).affectedCount
        let (ledger, rollups) = (table("cost_ledger", day), table("cost_rollups", day))
        try connection.run(
            CostErasure.statements(where: condition("cost_ledger"), ledger: ledger, rollups: rollups, .postgres))
        erased.spans =
            try connection.run("DELETE FROM \(spans) WHERE ctid IN (SELECT place FROM subject_spans)").affectedCount
        try connection.commit()
        if !erased.isEmpty {
            try connection.run("VACUUM \(rewrites ? "(FULL) " : "")\(spans), \(usage), \(ledger), \(rollups)")
        }
        return erased
    }

    /// What was said of budgets of theirs.
    private func eraseCrossings(_ traces: Set<TraceID>) throws(PostgresError) {
        let rows = try connection.run(
            "SELECT ctid, scope, scope_id FROM budget_crossings WHERE tenant = $1", [.text(matcher.group.tenant)])
        for row in 0..<rows.count {
            guard let place = rows.text(row, 0), let scope = rows.text(row, 1), let id = rows.text(row, 2),
                matcher.names(scope: scope, id: id, traces)
            else { continue }
            try connection.run("DELETE FROM budget_crossings WHERE ctid = $1::tid", [.text(place)])
        }
    }

    private func eraseRejects(_ traces: Set<TraceID>) throws -> ErasedRows {
        var erased = ErasedRows()
        guard let tenant else { return erased }
        let rows = try connection.run(
            "SELECT ctid, encode(span, 'hex') FROM rejects WHERE tenant_id = $1", [.int(tenant)])
        var batch = Batch(decodedLimit: .max)
        for row in 0..<rows.count {
            let bytes = [UInt8](hexadecimal: rows.text(row, 1) ?? "") ?? []
            let payload = bytes.withUnsafeBytes { Payload.copying($0) }
            try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
            var known = traces
            guard matcher.erase(in: &batch, &known) > 0, let place = rows.text(row, 0) else { continue }
            erased.rejects += try connection.run("DELETE FROM rejects WHERE ctid = $1::tid", [.text(place)])
                .affectedCount
        }
        return erased
    }

    private func days() throws(PostgresError) -> [Day] {
        guard tenant != nil else { return [] }
        var partitions = PostgresPartitions()
        try partitions.load(from: connection)
        // A day from before a table has spans as well.
        let incomplete = partitions.incomplete
        if !incomplete.isEmpty { try partitions.make(incomplete, on: connection) }
        return partitions.days.sorted()
    }

    private func table(_ name: String, _ day: Day) -> String { "\(PostgresPartitionName(table: name, day: day))" }

    private func isTenants(_ alias: String) -> String { "\(alias).tenant_id = \(tenant ?? -1)" }

    private func isColumn(_ alias: String) -> String {
        family.column.map { "\(alias).\($0) IN (SELECT name FROM subject_names)" } ?? "false"
    }

    /// Whether `j` may say whose something is.
    private var mayName: String { "j.key IN (\(family.keysInSQL)) AND j.value <> ''" }

    /// Whether it does. Ciphertext says nothing, but for the subject's own; that and a name that only begins like it
    /// are the odd ones.
    private var isName: String {
        "\(mayName) AND (j.value NOT LIKE 'weir1.%' OR j.value IN (SELECT name FROM odd_names))"
    }

    private var isSubjects: String { "\(isName) AND j.value IN (SELECT name FROM subject_names)" }

    /// The attributes of events, as `j`.
    private func eventNames(_ alias: String) -> String {
        "jsonb_array_elements(\(alias).events) e, jsonb_each_text(coalesce(e -> 'attributes', '{}')) j"
    }

    /// Begins a transaction, and finds the names of subjects that the day has, and the spans that are theirs.
    private func begin(_ day: Day) throws(PostgresError) {
        let spans = table("spans", day)
        try connection.run("BEGIN; TRUNCATE subject_names, odd_names, subject_spans, naming_resources")
        var parts = [
            "SELECT j.value FROM \(spans) s, jsonb_each_text(s.attributes) j WHERE \(isTenants("s")) AND \(mayName)",
            "SELECT j.value FROM \(spans) s, \(eventNames("s")) WHERE \(isTenants("s")) AND \(mayName)",
            "SELECT j.value FROM resources s, jsonb_each_text(s.attributes) j WHERE \(isTenants("s")) AND \(mayName)",
        ]
        if let column = family.column {
            parts += [spans, table("llm_usage", day), table("cost_ledger", day)].map {
                "SELECT \(column) FROM \($0) s WHERE \(isTenants("s")) AND \(column) IS NOT NULL"
            }
        }
        let rows = try connection.run(parts.joined(separator: " UNION "))
        for row in 0..<rows.count {
            guard let name = rows.text(row, 0), let isOne = matcher.isSubjects(name) else { continue }
            if Envelope.isWhole(name) || Envelope.isBeginning(ofName: name) {
                try connection.run("INSERT INTO odd_names VALUES ($1)", [.text(name)])
            }
            guard isOne else { continue }
            try connection.run("INSERT INTO subject_names VALUES ($1)", [.text(name)])
        }
        try connection.run(
            """
            INSERT INTO naming_resources
                SELECT s.id, bool_or(j.value IN (SELECT name FROM subject_names))
                FROM resources s, jsonb_each_text(s.attributes) j WHERE \(isTenants("s")) AND \(isName) GROUP BY s.id;
            INSERT INTO subject_spans SELECT s.trace_id, s.span_id, s.ctid FROM \(spans) s
                WHERE EXISTS (SELECT 1 FROM subject_names) AND \(isTenants("s")) AND (\(isColumn("s"))
                    OR EXISTS (SELECT 1 FROM jsonb_each_text(s.attributes) j WHERE \(isSubjects))
                    OR EXISTS (SELECT 1 FROM \(eventNames("s")) WHERE \(isSubjects))
                    OR s.resource_id IN (SELECT id FROM naming_resources WHERE is_subject))
            """)
    }
}

/// Stores batches in the hot tables of one session. Each record is stored in one transaction with the note that it is,
/// so it is there exactly once, whoever brings it again and whatever died on the way.
///
/// After any error but a refusal that it deals with itself, the session is not to be used any more.
struct PostgresWriter: ~Copyable {
    /// What became of the spans of a batch.
    struct Counts: Equatable {
        var stored = 0
        /// Of ``stored``: those whose clock is far off, or that end before they start.
        var clockSuspect = 0
        /// What the tables did not take, and `rejects` did.
        var rejected = 0
        /// What had been stored before.
        var repeated = 0
        /// Of days that are over; they are not stored.
        var expired = 0
    }

    /// A partition can go while it is needed, be made anew, and go again.
    private static let maxTries = 4
    /// Spans of a batch that are refused alone. After that, those that are refused together go to `rejects` together:
    /// each one more is three statements.
    private static let maxRefused = 1_024

    let connection: PostgresConnection
    private var partitions = PostgresPartitions()
    private var tenants = PostgresTenants()
    private var dictionaries = PostgresDictionaries()
    private var rows = HotRows()
    private var encoder = CopyEncoder()

    /// Nil where records come from an archive, after their day was dropped.
    private let retention: Retention?
    /// What is older is over for everybody: its partition may be about to go, and none can be made beside it. Nor would
    /// it stay for long.
    private var firstDay = Day(number: 0)

    /// - Parameter retention: nil where records come from an archive, after their day was dropped.
    init(_ connection: PostgresConnection, _ retention: Retention?) throws(PostgresError) {
        self.connection = connection
        self.retention = retention
        try partitions.load(from: connection)
    }

    /// - Parameters:
    ///   - time: by which days are over, see ``RetentionClock``; nil for `now`.
    ///   - known: the last record that may have been stored before now.
    ///   - isTried: becomes true when something of the batch may have been stored.
    /// - Throws: JournalConflict; PostgresError; DecodeError where a record cannot be read. Then nothing was stored.
    mutating func store(
        _ batch: FrozenBatch, at now: Timestamp, overBy time: Timestamp?, known: UInt64, isTried: inout Bool
    ) throws -> Counts {
        try tenants.load(Set(batch.records.map(\.tenant)), on: connection)
        if let retention { firstDay = retention.firstDay(at: time ?? now) }
        for _ in 0..<Self.maxTries {
            do {
                let (counts, missing) = try storeTogether(batch, on: Day(now), known, &isTried)
                if missing.isEmpty { return counts }
                try partitions.make(missing, on: connection)
            } catch let error as PostgresError where error.isMissingPartition {
                try connection.run("ROLLBACK")
                try partitions.load(from: connection)
            } catch let error as PostgresError where error.isRefusal {
                try connection.run("ROLLBACK")
                return try storeApart(batch, on: Day(now), known)
            }
        }
        throw PostgresError("partitions go as fast as they are made")
    }

    /// Stores what nobody else has written.
    mutating func store(_ batch: FrozenBatch, at now: Timestamp) throws -> Counts {
        var isTried = false
        return try store(batch, at: now, overBy: nil, known: .max, isTried: &isTried)
    }

    private func begin(_ batch: FrozenBatch, _ known: UInt64) throws -> RecordLedger {
        let sequences = batch.records.map(\.sequence)
        let range = (sequences.min() ?? 0)...(sequences.max() ?? 0)
        let ledger = try RecordLedger.begin(batch.journal, range, on: connection)
        try ledger.refuse(sequences, after: known)
        return retention == nil ? .unheeded(batch.journal) : ledger
    }

    /// Adds the rows of a record.
    private mutating func addRows(_ decoded: borrowing Batch, of record: JournalRecord) throws {
        guard let tenantID = tenants.ids[record.tenant] else { preconditionFailure("a tenant that was not loaded") }
        rows.add(decoded, sequence: record.sequence, tenantID: tenantID)
        try rows.addSampledOut(of: record, tenantID: tenantID)
    }
}

// MARK: - All at once

extension PostgresWriter {
    /// Makes the rows of a record while the server stores those of the record before.
    /// - Returns: days that need partitions first; nothing was stored if there are any.
    private mutating func storeTogether(
        _ batch: FrozenBatch, on day: Day, _ known: UInt64, _ isTried: inout Bool
    ) throws -> (counts: Counts, missing: Set<Day>) {
        var ledger = try begin(batch, known)
        isTried = true
        var counts = Counts()
        var missing: Set<Day> = []
        let firstDay = firstDay
        rows.reset()
        try connection.copyIn(CopyEncoder.spans)
        encoder.begin()
        var decoded = Batch(decodedLimit: .max)
        try batch.forEach(into: &decoded) { decoded, record in
            let (first, firstLeftOut) = (rows.spans.count, rows.sampledOut.count)
            guard !ledger.has(record.sequence) else {
                counts.repeated += record.spanCount
                return
            }
            try addRows(decoded, of: record)
            var spans = 0
            for index in first..<rows.spans.count {
                let span = rows.spans[index]
                guard span.day >= firstDay else {
                    counts.expired += span.isSampledOut ? 0 : 1
                    continue
                }
                if !partitions.days.contains(span.day) { missing.insert(span.day) }
                guard missing.isEmpty, !span.isSampledOut else { continue }
                spans += 1
                if span.isClockSuspect { counts.clockSuspect += 1 }
                encoder.add(span, of: rows, batch.journal)
                if encoder.count >= PostgresConnection.maxPiece { try put() }
            }
            missing.formUnion(
                rows.sampledOut[firstLeftOut...].map(\.day).filter {
                    $0 >= firstDay && !partitions.days.contains($0)
                })
            ledger.add(record.sequence, since: record.sequence, spans: spans, rejected: 0)
            counts.stored += spans
        }
        guard missing.isEmpty else {
            try connection.abandonCopy()
            try connection.run("ROLLBACK")
            return (counts, missing)
        }
        try endCopy()
        try lockCosts()
        try copyCalls(
            rows.usage.filter { rows.spans[$0.span].day >= firstDay },
            rows.costs.filter { rows.spans[$0.usage.span].day >= firstDay })
        try correctCosts()
        let kept = rows.spans.indices.filter { rows.spans[$0].day >= firstDay }
        let leftOut = rows.rollups(sampledOutOf: { _ in true }, on: { $0 >= firstDay })
        try copyRollups(rows.rollups(of: kept).merging(leftOut) { $0.merged($1) })
        // Last, as two sessions that write the same row wait for each other.
        let resources = dictionaries.missing(of: rows.resources, on: day)
        let scopes = dictionaries.missing(of: rows.scopes, on: day)
        try dictionaries.write(resources, on: connection)
        try dictionaries.write(scopes, on: connection)
        try ledger.save(on: connection)
        try connection.commit()
        dictionaries.note(resources + scopes)
        return (counts, [])
    }

    /// What one transaction that has calls of models corrects, every other one sees: it is alone, before it waits for a
    /// row. Those without go side by side, but not beside it: a span of theirs may be what stands between two calls.
    private func lockCosts() throws(PostgresError) {
        let hasCalls = !rows.usage.isEmpty || !rows.costs.isEmpty
        try PostgresLock.take("costs", isShared: !hasCalls, on: connection)
    }

    /// COPY has no `ON CONFLICT`. Most calls are new, so they are copied as if all were; where one is there already, it
    /// is asked which are, and the others are copied again. Nobody else adds any meanwhile.
    private mutating func copyCalls(
        _ usage: some Collection<UsageRow>, _ costs: some Collection<CostRow>
    ) throws(PostgresError) {
        guard !usage.isEmpty || !costs.isEmpty else { return }
        try connection.run("SAVEPOINT calls")
        do {
            try copy(usage, CopyEncoder.usage) { $0.add($1, of: $2) }
            try copy(costs, CopyEncoder.costs) { $0.add($1, of: $2) }
        } catch  where error.isRepetition {
            try connection.run("ROLLBACK TO SAVEPOINT calls")
            let newUsage = try missing(of: usage, in: "llm_usage", span: \.span)
            let newCosts = try missing(of: costs, in: "cost_ledger", span: \.usage.span)
            try copy(newUsage, CopyEncoder.usage) { $0.add($1, of: $2) }
            try copy(newCosts, CopyEncoder.costs) { $0.add($1, of: $2) }
        }
    }

    private mutating func copy<Row>(
        _ added: some Collection<Row>, _ sql: String,
        _ add: (inout CopyEncoder, Row, borrowing HotRows) -> Void
    ) throws(PostgresError) {
        guard !added.isEmpty else { return }
        try connection.copyIn(sql)
        encoder.begin()
        for row in added {
            add(&encoder, row, rows)
            if encoder.count >= PostgresConnection.maxPiece { try put() }
        }
        try endCopy()
    }

    /// The first of each span, where the table has none of it.
    private func missing<Row>(
        of added: some Collection<Row>, in table: String, span: KeyPath<Row, Int>
    ) throws(PostgresError) -> [Row] {
        let keys = added.map { rows.spans[$0[keyPath: span]] }
        guard let days = TouchedDays(keys.lazy.map(\.day)) else { return [] }
        let stored = try connection.run(
            """
            SELECT k.place FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[])
                WITH ORDINALITY k (trace_id, span_id, start, tenant_id, place)
            CROSS JOIN LATERAL (
                SELECT 1 FROM \(table) t WHERE t.trace_id = k.trace_id AND t.span_id = k.span_id
                    AND t.start_time = timestamptz 'epoch' + k.start * interval '1 microsecond'
                    AND t.tenant_id = k.tenant_id AND \(days.condition(on: "t.start_time")) LIMIT 1) t
            """,
            [
                .array(keys.map(\.trace.text)), .array(keys.map { "\(Int64(bitPattern: $0.spanID))" }),
                .array(keys.map { "\($0.clampedStart)" }), .array(keys.map { "\($0.tenantID)" }),
            ])
        var there = Set((0..<stored.count).compactMap { stored.int($0, 0) }.map { CallKey(keys[Int($0) - 1]) })
        return zip(added, keys).filter { there.insert(CallKey($1)).inserted }.map(\.0)
    }

    /// Of the tables of calls.
    private struct CallKey: Hashable {
        let trace: TraceID
        let span: UInt64
        let start: Int64
        let tenant: Int32

        init(_ span: SpanRow) {
            (trace, self.span, start, tenant) = (span.trace, span.spanID, span.clampedStart, span.tenantID)
        }
    }

    /// Takes back what the entries of these spans' traces show to be there twice.
    private func correctCosts() throws(PostgresError) {
        guard let days = TouchedDays(rows.spans.lazy.map(\.day)) else { return }
        var responses: Set<Response> = []
        for cost in rows.costs {
            guard let id = rows.bytes(cost.usage.responseID) else { continue }
            let tenant = rows.spans[cost.usage.span].tenantID
            responses.insert(Response(tenant: tenant, id: String(decoding: id, as: UTF8.self)))
        }
        if !responses.isEmpty {
            try connection.runAgain(
                """
                WITH touched_responses AS (
                    SELECT * FROM unnest($1::bigint[], $2::text[]) t (tenant_id, response_id))
                \(CostCorrections.postgres(days).duplicates)
                """, [.array(responses.map { "\($0.tenant)" }), .array(responses.map(\.id))])
        }
        // Most traces have nothing of it, and each of the statements below takes long to plan.
        let traces = Set(rows.spans.map(\.trace)).map(\.text)
        let found = try connection.runAgain(
            """
            SELECT array_agg(trace_id) FILTER (WHERE has_calls), array_agg(trace_id) FILTER (WHERE has_aggregates),
                array_agg(trace_id) FILTER (WHERE lacks_agent), sum(entries)::bigint
            FROM unnest($1::uuid[]) t (trace_id) CROSS JOIN LATERAL (
                SELECT bool_or(l.calls = 1 AND l.parent_span_id IS NOT NULL) AS has_calls,
                    bool_or(l.calls = 0) AS has_aggregates,
                    bool_or(l.agent IS NULL AND l.parent_span_id IS NOT NULL) AS lacks_agent,
                    count(*) AS entries
                FROM cost_ledger l WHERE l.trace_id = t.trace_id AND \(days.condition(on: "l.start_time"))) l
            """, [.array(traces)])
        let corrections = CostCorrections.postgres(days, entries: found.int(0, 3).map { Int($0) } ?? 0)
        for (column, correction) in [corrections.nested, corrections.leaves, corrections.agents].enumerated() {
            guard let traces = found.text(0, column) else { continue }
            try connection.runAgain(
                "WITH RECURSIVE touched_traces AS (SELECT unnest($1::uuid[]) AS trace_id) \(correction)",
                [.text(traces)])
        }
    }

    private struct Response: Hashable {
        let tenant: Int32
        let id: String
    }

    private mutating func copyRollups(_ rollups: [RollupRow.Key: RollupRow]) throws(PostgresError) {
        try copy(rollups, CopyEncoder.rollups) { encoder, rollup, _ in encoder.add(rollup.key, rollup.value) }
    }

    private mutating func put() throws(PostgresError) {
        var rest = encoder.bytes[...]
        while !rest.isEmpty {
            try connection.put(UnsafeRawBufferPointer(rebasing: rest.prefix(PostgresConnection.maxPiece)))
            rest = rest.dropFirst(PostgresConnection.maxPiece)
        }
        encoder.reset()
    }

    private mutating func endCopy() throws(PostgresError) {
        encoder.end()
        try put()
        try connection.endCopy()
    }
}

// MARK: - Without what is refused

extension PostgresWriter {
    /// A span that the tables do not take.
    private struct Refused {
        let index: Int
        let reason: String
    }

    /// Stores what can be stored: in halves, of which one that is refused is halved again, until the bad spans are
    /// alone. Those go to `rejects`. All in one transaction.
    private mutating func storeApart(_ batch: FrozenBatch, on day: Day, _ known: UInt64) throws -> Counts {
        let firstDay = firstDay
        rows.reset()
        var decoded = Batch(decodedLimit: .max)
        var records: [(sequence: UInt64, rows: Range<Int>)] = []
        try batch.forEach(into: &decoded) { decoded, record in
            let first = rows.spans.count
            try addRows(decoded, of: record)
            records.append((record.sequence, first..<rows.spans.count))
        }
        let days = Set(rows.spans.map(\.day)).union(rows.sampledOut.map(\.day)).filter { $0 >= firstDay }
        try partitions.make(days.subtracting(partitions.days), on: connection)
        let badRows = try writeDictionaries(on: day)
        var ledger = try begin(batch, known)
        var counts = Counts()
        var refused: [Refused] = []
        var accepted: [Int] = []
        let new = records.filter { !ledger.has($0.sequence) }
        for index in new.flatMap(\.rows) {
            let span = rows.spans[index]
            if span.day < firstDay {
                counts.expired += span.isSampledOut ? 0 : 1
            } else if !span.isSampledOut, let reason = badRows[span.resourceID] ?? badRows[span.scopeID] {
                refused.append(Refused(index: index, reason: reason))
            } else {
                accepted.append(index)
            }
        }
        try lockCosts()
        refused += try writeHalves(of: accepted, batch.journal)
        try correctCosts()
        let sequences = Set(new.map(\.sequence))
        try copyRollups(rows.rollups(sampledOutOf: sequences.contains, on: { $0 >= firstDay }))
        try copyRejects(refused, of: batch)
        let bad = Set(refused.map(\.index))
        for (sequence, range) in new {
            let rejected = range.count(where: bad.contains)
            let stored = range.count {
                !rows.spans[$0].isSampledOut && !bad.contains($0) && rows.spans[$0].day >= firstDay
            }
            ledger.add(sequence, since: sequence, spans: stored, rejected: rejected)
            counts.stored += stored
        }
        try ledger.save(on: connection)
        try connection.commit()
        counts.rejected = refused.count
        counts.clockSuspect = accepted.count {
            rows.spans[$0].isClockSuspect && !rows.spans[$0].isSampledOut && !bad.contains($0)
        }
        counts.repeated = batch.records.reduce(0) { $0 + (sequences.contains($1.sequence) ? 0 : $1.spanCount) }
        return counts
    }

    /// Each row on its own; before the transaction, since it may take long.
    /// - Returns: the ids of those that were refused, and why.
    private mutating func writeDictionaries(on day: Day) throws(PostgresError) -> [Int64: String] {
        var refused: [Int64: String] = [:]
        for row in dictionaries.missing(of: rows.resources + rows.scopes, on: day) {
            do {
                try dictionaries.write([row], on: connection)
                dictionaries.note([row])
            } catch  where error.isRefusal {
                refused[row.id] = error.description
            }
        }
        return refused
    }

    private mutating func writeHalves(
        of indices: [Int], _ journal: JournalID
    ) throws(PostgresError) -> [Refused] {
        var refused: [Refused] = []
        var parts = indices.isEmpty ? [] : [indices[...]]
        while let part = parts.popLast() {
            try connection.run("SAVEPOINT part")
            do {
                try write(part, journal)
                try connection.run("RELEASE SAVEPOINT part")
            } catch  where error.isRefusal {
                try connection.run("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
                let middle = part.startIndex + part.count / 2
                if part.count > 1, refused.count < Self.maxRefused {
                    parts += [part[middle...], part[..<middle]]
                } else {
                    refused += part.map { Refused(index: $0, reason: error.description) }
                }
            }
        }
        return refused
    }

    private mutating func write(_ part: ArraySlice<Int>, _ journal: JournalID) throws(PostgresError) {
        let stored = part.filter { !rows.spans[$0].isSampledOut }
        try copy(stored, CopyEncoder.spans) { $0.add($2.spans[$1], of: $2, journal) }
        let spans = Set(part)
        try copyCalls(
            rows.usage.filter { spans.contains($0.span) }, rows.costs.filter { spans.contains($0.usage.span) })
        try copyRollups(rows.rollups(of: part))
    }

    private mutating func copyRejects(_ refused: [Refused], of batch: FrozenBatch) throws {
        guard !refused.isEmpty else { return }
        let bySequence = Dictionary(grouping: refused) { rows.spans[$0.index].sequence }
        var encoded = SingleSpanEncoder()
        var decoded = Batch(decodedLimit: .max)
        try connection.copyIn(CopyEncoder.rejects)
        encoder.begin()
        try batch.forEach(into: &decoded) { decoded, record in
            // Those that sampling left out come last, and stand in the section.
            for isSampledOut in [false, true] {
                let refused = (bySequence[record.sequence] ?? []).filter {
                    rows.spans[$0.index].isSampledOut == isSampledOut
                }
                guard !refused.isEmpty, try !isSampledOut || record.decodeSampledOut(into: &decoded) else { continue }
                for refusal in refused {
                    let span = rows.spans[refusal.index]
                    let place = span.place - (isSampledOut ? Int32(record.spanCount) : 0)
                    guard let otlp = encoded.encode(place, of: decoded) else { continue }
                    encoder.add(rejected: span, batch.journal, reason: refusal.reason, otlp: otlp)
                    if encoder.count >= PostgresConnection.maxPiece { try put() }
                }
            }
        }
        try endCopy()
    }
}

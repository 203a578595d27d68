/// Rows of the hot tables, their fields in the order of their columns.
extension CopyEncoder {
    static let spans = "COPY spans (\(SpanRow.columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    static let usage = "COPY llm_usage (\(UsageRow.columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    static let costs = "COPY cost_ledger (\(CostRow.columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    static let rollups = "COPY span_rollups (\(RollupRow.columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    static let rejects = """
        COPY rejects (journal, sequence, tenant_id, trace_id, span_id, reason, span) FROM STDIN (FORMAT binary)
        """

    mutating func add(_ span: SpanRow, of rows: borrowing HotRows, _ journal: JournalID) {
        row(fields: 31)
        timestamp(span.clampedStart)
        integer(span.startTime)
        integer(span.duration)
        uuid(span.traceIDHigh, span.traceIDLow)
        integer(span.spanID)
        integer(span.parentSpanID)
        integer(span.resourceID)
        integer(span.scopeID)
        integer(journal.value)
        integer(span.sequence)
        integer(span.tenantID)
        integer(span.flags)
        count(span.droppedAttributes)
        count(span.droppedEvents)
        count(span.droppedLinks)
        integer(Int16(span.kind))
        integer(Int16(span.status))
        integer(span.operation.rawValue)
        bool(span.isClockSuspect)
        text(rows.bytes(span.service))
        text(rows.bytes(span.name))
        text(rows.bytes(span.statusMessage))
        text(rows.bytes(span.traceState))
        text(rows.bytes(span.sessionID))
        text(rows.bytes(span.conversationID))
        text(rows.bytes(span.userID))
        text(rows.bytes(span.callID))
        json(rows.bytes(span.attributes))
        json(rows.bytes(span.events))
        json(rows.bytes(span.links))
        double(span.adjustedCount)
    }

    mutating func add(_ usage: UsageRow, of rows: borrowing HotRows) {
        let span = rows.spans[usage.span]
        row(fields: 27)
        timestamp(span.clampedStart)
        uuid(span.traceIDHigh, span.traceIDLow)
        integer(span.spanID)
        integer(span.tenantID)
        integer(Int16(span.status))
        integer(span.operation.rawValue)
        integer(span.duration)
        integer(usage.timeToFirstToken)
        integer(usage.inputTokens)
        integer(usage.outputTokens)
        integer(usage.cacheReadTokens)
        integer(usage.cacheWriteTokens)
        integer(usage.reasoningTokens)
        numeric(pico: usage.totalCost)
        word(usage.costSource?.name)
        text(rows.bytes(span.service))
        text(rows.bytes(usage.provider))
        text(rows.bytes(usage.requestModel))
        text(rows.bytes(usage.model))
        text(rows.bytes(usage.responseID))
        text(rows.bytes(usage.agent))
        text(rows.bytes(usage.workflow))
        text(rows.bytes(span.sessionID))
        text(rows.bytes(span.conversationID))
        text(rows.bytes(span.userID))
        text(rows.bytes(span.callID))
        text(rows.bytes(usage.sampledOutBy))
    }

    mutating func add(_ cost: CostRow, of rows: borrowing HotRows) {
        let (usage, span) = (cost.usage, rows.spans[cost.usage.span])
        row(fields: 33)
        timestamp(span.clampedStart)
        uuid(span.traceIDHigh, span.traceIDLow)
        integer(span.spanID)
        integer(Int32(0))
        integer(span.tenantID)
        word(cost.reason.name)
        word(cost.status.name)
        integer(cost.calls)
        integer(cost.unpriced)
        integer(usage.inputTokens)
        integer(usage.outputTokens)
        integer(usage.cacheReadTokens)
        integer(usage.cacheWriteTokens)
        integer(usage.reasoningTokens)
        numeric(pico: usage.totalCost)
        word(usage.costSource?.name)
        text(rows.bytes(cost.price))
        text(rows.bytes(cost.serviceTier))
        text(rows.bytes(cost.parts))
        integer(span.operation.rawValue)
        integer(span.parentSpanID)
        bool(span.isSampledOut)
        text(rows.bytes(span.service))
        text(rows.bytes(usage.provider))
        text(rows.bytes(usage.requestModel))
        text(rows.bytes(usage.model))
        text(rows.bytes(usage.responseID))
        text(rows.bytes(usage.agent))
        text(rows.bytes(usage.workflow))
        text(rows.bytes(span.sessionID))
        text(rows.bytes(span.conversationID))
        text(rows.bytes(span.userID))
        text(rows.bytes(span.callID))
    }

    mutating func add(_ key: RollupRow.Key, _ rollup: RollupRow) {
        row(fields: 15)
        timestamp(key.minute * 60_000_000)
        integer(key.tenantID)
        integer(key.operation.rawValue)
        integer(Int16(key.kind))
        integer(rollup.spans)
        integer(rollup.errors)
        integer(rollup.duration)
        integer(rollup.inputTokens)
        integer(rollup.outputTokens)
        numeric(pico: rollup.totalCost)
        integer(rollup.unpriced)
        json(rollup.durations.json)
        text(key.service)
        text(key.name)
        text(key.model)
    }

    /// A row of `rejects`.
    /// - Parameter otlp: the span as TracesData.
    mutating func add(
        rejected span: SpanRow, _ journal: JournalID, reason: String, otlp: UnsafeRawBufferPointer
    ) {
        row(fields: 7)
        integer(journal.value)
        integer(span.sequence)
        integer(span.tenantID)
        uuid(span.traceIDHigh, span.traceIDLow)
        integer(span.spanID)
        text(reason)
        text(otlp)
    }

    /// NULL for nil.
    private mutating func word(_ word: StaticString?) {
        guard let word else { return null() }
        word.withUTF8Buffer { text(UnsafeRawBufferPointer($0)) }
    }

    /// NULL for 0. The column has 31 bits.
    private mutating func count(_ count: UInt32) {
        if count == 0 { null() } else { integer(Int32(clamping: count)) }
    }
}

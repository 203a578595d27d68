extension ParquetRows {
    /// The columns of `spans`, in the order in which they are written.
    static let spanColumns = [
        ParquetColumn(name: "trace_id", kind: .text, repeats: true, isLookedFor: true),
        ParquetColumn(name: "span_id", kind: .text),
        ParquetColumn(name: "parent_span_id", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "start_time", kind: .timestamp),
        ParquetColumn(name: "start_unix_nano", kind: .int64),
        ParquetColumn(name: "duration_ns", kind: .int64, isOptional: true),
        ParquetColumn(name: "clock_suspect", kind: .flag),
        ParquetColumn(name: "service", kind: .text, repeats: true, isShared: true),
        ParquetColumn(name: "name", kind: .text, repeats: true),
        ParquetColumn(name: "kind", kind: .int32),
        ParquetColumn(name: "status", kind: .int32),
        ParquetColumn(name: "status_message", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "operation", kind: .text, repeats: true),
        ParquetColumn(name: "http_status", kind: .int64, isOptional: true),
        ParquetColumn(name: "session_id", kind: .text, isOptional: true, repeats: true, isLookedFor: true),
        ParquetColumn(name: "conversation_id", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "user_id", kind: .text, isOptional: true, repeats: true, isLookedFor: true),
        ParquetColumn(name: "call_id", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "gen_ai_provider", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "gen_ai_request_model", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "gen_ai_response_model", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "gen_ai_input_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "gen_ai_output_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "total_cost", kind: .decimal(scale: 12), isOptional: true),
        ParquetColumn(name: "scope_name", kind: .text, repeats: true, isShared: true),
        ParquetColumn(name: "scope_version", kind: .text, repeats: true, isShared: true),
        ParquetColumn(name: "flags", kind: .int32),
        ParquetColumn(name: "trace_state", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "attrs", kind: .text, repeats: true, hasBounds: false),
        ParquetColumn(name: "resource", kind: .text, repeats: true, isShared: true, hasBounds: false),
        ParquetColumn(name: "events", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "links", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "seq", kind: .int64),
        ParquetColumn(name: "place", kind: .int32),
    ]

    /// Adds all rows.
    func addSpans(to writer: inout ParquetWriter) {
        let spans = rows.spans
        writer.begin(rows: spans.count)
        writer.traceIDs { spans[$0].trace }
        writer.spanIDs { spans[$0].spanID }
        writer.spanIDs { spans[$0].parentSpanID }
        writer.numbers { spans[$0].clampedStart }
        writer.numbers { Int64(bitPattern: spans[$0].startTime) }
        writer.numbers { spans[$0].duration }
        writer.numbers { spans[$0].isClockSuspect ? 1 : 0 }
        writer.texts(of: { spans[$0].service }) { rows.bytes($0) }
        writer.texts { rows.bytes(spans[$0].name) }
        writer.numbers { Int64(spans[$0].kind) }
        writer.numbers { Int64(spans[$0].status) }
        writer.texts { rows.bytes(spans[$0].statusMessage) }
        writer.names(OperationKind.allCases.map(\.name)) { Int(spans[$0].operation.rawValue) }
        writer.numbers { httpStatuses[$0] }
        writer.texts { rows.bytes(spans[$0].sessionID) }
        writer.texts { rows.bytes(spans[$0].conversationID) }
        writer.texts { rows.bytes(spans[$0].userID) }
        writer.texts { rows.bytes(spans[$0].callID) }
        addCalls(of: spans.count, to: &writer)
        addScopes(of: spans, to: &writer)
        writer.numbers { Int64(Int32(bitPattern: spans[$0].flags)) }
        writer.texts { rows.bytes(spans[$0].traceState) }
        writer.texts { rows.bytes(spans[$0].attributes) }
        addResources(of: spans, to: &writer)
        writer.texts { rows.bytes(spans[$0].events) }
        writer.texts { rows.bytes(spans[$0].links) }
        writer.numbers { Int64(bitPattern: spans[$0].sequence) }
        writer.numbers { Int64(spans[$0].place) }
        writer.end()
    }

    /// What a call of a model used; nothing for other spans, so that sums count nothing twice.
    private func addCalls(of count: Int, to writer: inout ParquetWriter) {
        let usage = rows.usage
        guard !usage.isEmpty else { return writer.nothing(columns: 6) }
        var calls = [Int32](repeating: -1, count: count)
        for (index, call) in usage.enumerated() { calls[call.span] = Int32(truncatingIfNeeded: index) }
        func call(_ row: Int) -> UsageRow? { calls[row] < 0 ? nil : usage[Int(calls[row])] }
        writer.texts { call($0).flatMap { rows.bytes($0.provider) } }
        writer.texts { call($0).flatMap { rows.bytes($0.requestModel) } }
        writer.texts { call($0).flatMap { rows.bytes($0.model) } }
        writer.numbers { call($0)?.inputTokens }
        writer.numbers { call($0)?.outputTokens }
        writer.numbers { call($0)?.archivedCost }
    }

    private func addScopes(of spans: [SpanRow], to writer: inout ParquetWriter) {
        let index = Self.index(rows.scopes.map(\.id), in: spans.map(\.scopeID))
        writer.names(rows.scopes.map { $0.name ?? "" }) { index[$0] }
        writer.names(rows.scopes.map { $0.version ?? "" }) { index[$0] }
    }

    private func addResources(of spans: [SpanRow], to writer: inout ParquetWriter) {
        let index = Self.index(rows.resources.map(\.id), in: spans.map(\.resourceID))
        writer.names(rows.resources.map(\.attributes)) { index[$0] }
    }

    /// For each of `ids`, which of `known` it is.
    private static func index(_ known: [Int64], in ids: [Int64]) -> [Int] {
        let places = Dictionary(zip(known, known.indices)) { first, _ in first }
        var last = (id: known.first, place: 0)
        return ids.map { id in
            if id != last.id { last = (id, places[id] ?? 0) }
            return last.place
        }
    }
}

extension UsageRow {
    /// In 10⁻¹² USD; nil also where it has more than the column's 18 digits: a million dollars for one call.
    var archivedCost: Int64? {
        totalCost.flatMap { $0 < 1_000_000_000_000_000_000 ? $0 : nil }
    }
}

extension ParquetWriter {
    @inline(__always)
    mutating func traceIDs(_ trace: (Int) -> TraceID) {
        var digits = JSONWriter(capacity: 64)
        texts(of: trace) { trace in
            digits.reset()
            digits.hexadecimal(trace.high)
            digits.hexadecimal(trace.low)
            return digits.written
        }
    }

    @inline(__always)
    mutating func spanIDs(_ id: (Int) -> UInt64?) {
        var digits = JSONWriter(capacity: 64)
        texts { row in
            guard let id = id(row) else { return nil }
            digits.reset()
            digits.hexadecimal(id)
            return digits.written
        }
    }

    /// - Parameter index: which of the names a row has.
    @inline(__always)
    mutating func names(_ names: [String], _ index: (Int) -> Int) {
        var made = ParquetTexts()
        for name in names { made.add(name) }
        texts(of: index) { made.bytes($0) }
    }
}

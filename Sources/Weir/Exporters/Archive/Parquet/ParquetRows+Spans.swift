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
        ParquetColumn(name: "service", kind: .text, repeats: true),
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
        ParquetColumn(name: "scope_name", kind: .text, repeats: true),
        ParquetColumn(name: "scope_version", kind: .text, repeats: true),
        ParquetColumn(name: "flags", kind: .int32),
        ParquetColumn(name: "trace_state", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "attrs", kind: .text, repeats: true, hasBounds: false),
        ParquetColumn(name: "resource", kind: .text, repeats: true, hasBounds: false),
        ParquetColumn(name: "events", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "links", kind: .text, isOptional: true, repeats: true, hasBounds: false),
        ParquetColumn(name: "seq", kind: .int64),
        ParquetColumn(name: "place", kind: .int32),
    ]

    /// Writes all rows as one row group.
    func writeSpans(to writer: inout ParquetWriter) throws {
        let spans = rows.spans
        writer.begin(rows: spans.count)
        try writer.traceIDs { spans[$0] }
        try writer.spanIDs { spans[$0].spanID }
        try writer.spanIDs { spans[$0].parentSpanID }
        try writer.numbers { spans[$0].clampedStart }
        try writer.numbers { Int64(bitPattern: spans[$0].startTime) }
        try writer.numbers { spans[$0].duration }
        try writer.numbers { spans[$0].isClockSuspect ? 1 : 0 }
        try writer.texts { rows.bytes(spans[$0].service) }
        try writer.texts { rows.bytes(spans[$0].name) }
        try writer.numbers { Int64(spans[$0].kind) }
        try writer.numbers { Int64(spans[$0].status) }
        try writer.texts { rows.bytes(spans[$0].statusMessage) }
        try writer.names(OperationKind.allCases.map(\.name)) { Int(spans[$0].operation.rawValue) }
        try writer.numbers { httpStatuses[$0] }
        try writer.texts { rows.bytes(spans[$0].sessionID) }
        try writer.texts { rows.bytes(spans[$0].conversationID) }
        try writer.texts { rows.bytes(spans[$0].userID) }
        try writer.texts { rows.bytes(spans[$0].callID) }
        try writeCalls(of: spans.count, to: &writer)
        try writeScopes(of: spans, to: &writer)
        try writer.numbers { Int64(Int32(bitPattern: spans[$0].flags)) }
        try writer.texts { rows.bytes(spans[$0].traceState) }
        try writer.texts { rows.bytes(spans[$0].attributes) }
        try writeResources(of: spans, to: &writer)
        try writer.texts { rows.bytes(spans[$0].events) }
        try writer.texts { rows.bytes(spans[$0].links) }
        try writer.numbers { Int64(bitPattern: spans[$0].sequence) }
        try writer.numbers { Int64(spans[$0].place) }
        try writer.end()
    }

    /// What a call of a model used; nothing for other spans, so that sums count nothing twice.
    private func writeCalls(of count: Int, to writer: inout ParquetWriter) throws {
        let usage = rows.usage
        var calls = [Int32](repeating: -1, count: count)
        for (index, call) in usage.enumerated() { calls[call.span] = Int32(truncatingIfNeeded: index) }
        func call(_ row: Int) -> UsageRow? { calls[row] < 0 ? nil : usage[Int(calls[row])] }
        try writer.texts { call($0).flatMap { rows.bytes($0.provider) } }
        try writer.texts { call($0).flatMap { rows.bytes($0.requestModel) } }
        try writer.texts { call($0).flatMap { rows.bytes($0.model) } }
        try writer.numbers { call($0)?.inputTokens }
        try writer.numbers { call($0)?.outputTokens }
        try writer.numbers { call($0)?.archivedCost }
    }

    private func writeScopes(of spans: [SpanRow], to writer: inout ParquetWriter) throws {
        let index = Self.index(rows.scopes.map(\.id), in: spans.map(\.scopeID))
        try writer.names(rows.scopes.map { $0.name ?? "" }) { index[$0] }
        try writer.names(rows.scopes.map { $0.version ?? "" }) { index[$0] }
    }

    private func writeResources(of spans: [SpanRow], to writer: inout ParquetWriter) throws {
        let index = Self.index(rows.resources.map(\.id), in: spans.map(\.resourceID))
        try writer.names(rows.resources.map(\.attributes)) { index[$0] }
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
    mutating func traceIDs(_ span: (Int) -> SpanRow) throws {
        try made { texts, row in
            let span = span(row)
            texts.add(hexadecimal: span.traceIDHigh, span.traceIDLow)
            return true
        }
    }

    mutating func spanIDs(_ id: (Int) -> UInt64?) throws {
        try made { texts, row in
            let id = id(row)
            texts.add(hexadecimal: id ?? 0)
            return id != nil
        }
    }

    /// - Parameter index: which of the names a row has.
    mutating func names(_ names: [String], _ index: (Int) -> Int) throws {
        var made = ParquetTexts()
        for name in names { made.add(name) }
        try texts { made.bytes(index($0)) }
    }

    /// - Parameter make: adds a row's text, and says whether it has one.
    private mutating func made(_ make: (inout ParquetTexts, Int) -> Bool) throws {
        var made = ParquetTexts()
        let isThere = (0..<rows).map { make(&made, $0) }
        try texts { isThere[$0] ? made.bytes($0) : nil }
    }
}

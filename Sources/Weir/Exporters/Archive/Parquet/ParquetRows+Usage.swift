extension ParquetRows {
    /// The columns of `llm_usage`, in the order in which they are written.
    static let usageColumns = [
        ParquetColumn(name: "trace_id", kind: .text, repeats: true, isLookedFor: true),
        ParquetColumn(name: "span_id", kind: .text),
        ParquetColumn(name: "start_time", kind: .timestamp),
        ParquetColumn(name: "start_unix_nano", kind: .int64),
        ParquetColumn(name: "duration_ns", kind: .int64, isOptional: true),
        ParquetColumn(name: "time_to_first_token_ns", kind: .int64, isOptional: true),
        ParquetColumn(name: "status", kind: .int32),
        ParquetColumn(name: "operation", kind: .text, repeats: true),
        ParquetColumn(name: "service", kind: .text, repeats: true),
        ParquetColumn(name: "provider", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "request_model", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "model", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "input_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "output_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "cache_read_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "cache_write_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "reasoning_tokens", kind: .int64, isOptional: true),
        ParquetColumn(name: "total_cost", kind: .decimal(scale: 12), isOptional: true),
        ParquetColumn(name: "cost_source", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "response_id", kind: .text, isOptional: true),
        ParquetColumn(name: "agent", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "workflow", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "session_id", kind: .text, isOptional: true, repeats: true, isLookedFor: true),
        ParquetColumn(name: "conversation_id", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "user_id", kind: .text, isOptional: true, repeats: true, isLookedFor: true),
        ParquetColumn(name: "call_id", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "seq", kind: .int64),
        ParquetColumn(name: "place", kind: .int32),
    ]

    /// Writes what the calls of models among the rows used, as one row group; there is at least one.
    func writeUsage(to writer: inout ParquetWriter) throws {
        let usage = rows.usage
        let spans = rows.spans
        writer.begin(rows: usage.count)
        try writer.traceIDs { spans[usage[$0].span] }
        try writer.spanIDs { spans[usage[$0].span].spanID }
        try writer.numbers { spans[usage[$0].span].clampedStart }
        try writer.numbers { Int64(bitPattern: spans[usage[$0].span].startTime) }
        try writer.numbers { spans[usage[$0].span].duration }
        try writer.numbers { usage[$0].timeToFirstToken }
        try writer.numbers { Int64(spans[usage[$0].span].status) }
        try writer.names(OperationKind.allCases.map(\.name)) { Int(spans[usage[$0].span].operation.rawValue) }
        try writer.texts { rows.bytes(spans[usage[$0].span].service) }
        try writer.texts { rows.bytes(usage[$0].provider) }
        try writer.texts { rows.bytes(usage[$0].requestModel) }
        try writer.texts { rows.bytes(usage[$0].model) }
        try writer.numbers { usage[$0].inputTokens }
        try writer.numbers { usage[$0].outputTokens }
        try writer.numbers { usage[$0].cacheReadTokens }
        try writer.numbers { usage[$0].cacheWriteTokens }
        try writer.numbers { usage[$0].reasoningTokens }
        try writer.numbers { usage[$0].archivedCost }
        try writer.texts { usage[$0].costSource.map { $0.name.bytes } }
        try writer.texts { rows.bytes(usage[$0].responseID) }
        try writer.texts { rows.bytes(usage[$0].agent) }
        try writer.texts { rows.bytes(usage[$0].workflow) }
        try writer.texts { rows.bytes(spans[usage[$0].span].sessionID) }
        try writer.texts { rows.bytes(spans[usage[$0].span].conversationID) }
        try writer.texts { rows.bytes(spans[usage[$0].span].userID) }
        try writer.texts { rows.bytes(spans[usage[$0].span].callID) }
        try writer.numbers { Int64(bitPattern: spans[usage[$0].span].sequence) }
        try writer.numbers { Int64(spans[usage[$0].span].place) }
        try writer.end()
    }
}

extension StaticString {
    fileprivate var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}

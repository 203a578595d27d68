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
        ParquetColumn(name: "service", kind: .text, repeats: true, isShared: true),
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

    /// Adds what the calls of models among the rows used; there is at least one.
    func addUsage(to writer: inout ParquetWriter) {
        let usage = rows.usage
        let spans = rows.spans
        writer.begin(rows: usage.count)
        writer.traceIDs { spans[usage[$0].span].trace }
        writer.spanIDs { spans[usage[$0].span].spanID }
        writer.numbers { spans[usage[$0].span].clampedStart }
        writer.numbers { Int64(bitPattern: spans[usage[$0].span].startTime) }
        writer.numbers { spans[usage[$0].span].duration }
        writer.numbers { usage[$0].timeToFirstToken }
        writer.numbers { Int64(spans[usage[$0].span].status) }
        writer.names(OperationKind.allCases.map(\.name)) { Int(spans[usage[$0].span].operation.rawValue) }
        writer.texts(of: { spans[usage[$0].span].service }) { rows.bytes($0) }
        writer.texts { rows.bytes(usage[$0].provider) }
        writer.texts { rows.bytes(usage[$0].requestModel) }
        writer.texts { rows.bytes(usage[$0].model) }
        writer.numbers { usage[$0].inputTokens }
        writer.numbers { usage[$0].outputTokens }
        writer.numbers { usage[$0].cacheReadTokens }
        writer.numbers { usage[$0].cacheWriteTokens }
        writer.numbers { usage[$0].reasoningTokens }
        writer.numbers { usage[$0].archivedCost }
        writer.texts { usage[$0].costSource.map { $0.name.bytes } }
        writer.texts { rows.bytes(usage[$0].responseID) }
        writer.texts { rows.bytes(usage[$0].agent) }
        writer.texts { rows.bytes(usage[$0].workflow) }
        writer.texts { rows.bytes(spans[usage[$0].span].sessionID) }
        writer.texts { rows.bytes(spans[usage[$0].span].conversationID) }
        writer.texts { rows.bytes(spans[usage[$0].span].userID) }
        writer.texts { rows.bytes(spans[usage[$0].span].callID) }
        writer.numbers { Int64(bitPattern: spans[usage[$0].span].sequence) }
        writer.numbers { Int64(spans[usage[$0].span].place) }
        writer.end()
    }
}

extension StaticString {
    fileprivate var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}

extension FoundSpan: JSONRow {
    func write(to line: inout JSONLine) {
        writeColumns(to: &line)
        line.add("cursor", cursor.text)
    }

    /// All but the place in a list.
    fileprivate func writeColumns(to line: inout JSONLine) {
        line.add("trace_id", traceID)
        line.add("span_id", id: spanID)
        line.add("parent_span_id", id: parentSpanID)
        line.add("start_time", startTime)
        line.add("duration_ns", duration)
        line.add("service", service)
        line.add("name", name)
        line.add("kind", kindName)
        line.add("status", statusName)
        line.add("status_message", statusMessage)
        line.add("operation", operationName)
        line.add("clock_suspect", isClockSuspect)
        line.add("session_id", sessionID)
        line.add("conversation_id", conversationID)
        line.add("user_id", userID)
        line.add("call_id", callID)
        for (column, reason) in unreadable.sorted(by: { $0.key < $1.key }) {
            line.add(column + FieldOpener.suffix, json: reason.rawValue.quotedAsJSON)
        }
    }
}

extension TraceSpan: JSONRow {
    func write(to line: inout JSONLine) {
        span.writeColumns(to: &line)
        line.add("trace_state", traceState)
        line.add("flags", flags)
        line.add("dropped_attributes", droppedAttributes)
        line.add("dropped_events", droppedEvents)
        line.add("dropped_links", droppedLinks)
        line.add("attributes", json: attributes)
        line.add("events", json: events)
        line.add("links", json: links)
        line.add("resource", json: resource?.json)
        line.add("scope", json: scope?.json)
        line.add("call", json: call?.json)
    }
}

extension TraceSpan.Call: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("model", model)
        line.add("input_tokens", inputTokens)
        line.add("output_tokens", outputTokens)
        line.add("total_cost", cost.map { Int128($0).inDollars })
    }
}

extension TraceSpan.Resource: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("attributes", json: attributes)
        line.add("schema_url", schemaURL)
    }
}

extension TraceSpan.Scope: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("name", name)
        line.add("version", version)
        line.add("attributes", json: attributes)
        line.add("schema_url", schemaURL)
    }
}

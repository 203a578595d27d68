/// One line per span.
extension DebugText {
    /// `"GET /" trace_id=… span_id=… parent_span_id=… kind=server status=ok duration=12ms http.route="/"`
    mutating func appendLine(_ span: SpanRecord, in batch: borrowing Batch) {
        appendQuoted(batch.bytes(span.name))
        append(" trace_id=\(span.traceIDHigh.hexadecimal)\(span.traceIDLow.hexadecimal)")
        append(" span_id=\(span.spanID.hexadecimal)")
        if span.state.contains(.hasParent) { append(" parent_span_id=\(span.parentSpanID.hexadecimal)") }
        append(" kind=\(span.kindName) status=\(span.statusName)")
        if span.statusMessage.count > 0 {
            append(" status_message=")
            appendQuoted(batch.bytes(span.statusMessage))
        }
        append(" duration=\(span.durationText)")
        if span.eventCount > 0 { append(" events=\(span.eventCount)") }
        if span.linkCount > 0 { append(" links=\(span.linkCount)") }
        appendAttributes(span.attributes, in: batch) { text, attribute, batch in
            text.append(" ")
            text.appendKey(batch.bytes(attribute.key))
            text.append("=")
            text.appendValue(batch.value(of: attribute))
        } more: { text, count in
            text.append(" …(\(count) attributes more)")
        }
        append("\n")
    }

    /// As many as are to be shown, then how many there are beside them.
    mutating func appendAttributes(
        _ range: AttributeRange, in batch: borrowing Batch,
        _ append: (inout DebugText, AttributeRecord, borrowing Batch) -> Void,
        more: (inout DebugText, Int) -> Void
    ) {
        var count = 0
        for index in range.indices where !batch.attributes[index].isRemoved {
            count += 1
            if count <= limits.items { append(&self, batch.attributes[index], batch) }
        }
        if count > limits.items { more(&self, count - limits.items) }
    }
}

extension SpanRecord {
    /// trace.proto, enum SpanKind.
    var kindName: String {
        let names = ["unspecified", "internal", "server", "client", "producer", "consumer"]
        return Int(kind) < names.count ? names[Int(kind)] : String(kind)
    }

    /// trace.proto, enum Status.StatusCode.
    var statusName: String {
        let names = ["unset", "ok", "error"]
        return Int(status) < names.count ? names[Int(status)] : String(status)
    }

    /// With a minus in front where the span ends before it starts.
    var durationText: String {
        let isReversed = endTime < startTime
        let nanoseconds = isReversed ? startTime - endTime : endTime - startTime
        return (isReversed ? "-" : "") + Duration.nanoseconds(Int64(clamping: nanoseconds)).text
    }
}

extension UInt64 {
    /// All sixteen digits, as ids are written.
    var hexadecimal: String { digits(16, radix: 16) }
}

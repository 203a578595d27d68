extension SpanLink {
    private static let isRoot = AttributeKey("langsmith.is_root")

    /// - Parameter projectKey: an attribute that names projects beside LangSmith's own.
    init(_ span: SpanRecord, _ batch: borrowing Batch, projectKey: AttributeKey?) {
        var parent = span.parentSpanID
        if parent != 0, case .bool(true)? = batch.value(of: Self.isRoot, in: span.attributes) { parent = 0 }
        self.init(
            trace: TraceKey(tenant: batch.tenant, high: span.traceIDHigh, low: span.traceIDLow), span: span.spanID,
            parent: parent, start: span.startTime / 1_000, isEntry: Self.isEntry(span),
            project: RunProject(of: span, projectKey, batch))
    }

    /// trace.proto, SpanFlags: bit 8 says whether bit 9 holds, which says that the parent is remote. Where it does not,
    /// the kind tells.
    private static func isEntry(_ span: SpanRecord) -> Bool {
        if span.flags & 0x100 != 0 { return span.flags & 0x200 != 0 }
        // SERVER, CONSUMER
        return span.kind == 2 || span.kind == 5
    }
}

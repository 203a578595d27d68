/// Everything that is stored of a span.
struct TraceSpan: Equatable, Sendable {
    var span: FoundSpan
    let traceState: String?
    let flags: Int64
    let droppedAttributes: Int64?
    let droppedEvents: Int64?
    let droppedLinks: Int64?
    let resourceID: Int64
    let scopeID: Int64
    /// A JSON object.
    var attributes: String
    /// JSON arrays of objects; nil where there are none.
    var events: String?
    var links: String?
    /// Nil where the retention has taken it.
    var resource: Resource?
    var scope: Scope?

    /// Nil where the span is no call of a model, or its call was counted before it was left out.
    let call: Call?

    /// What a call of a model used, and what it was priced at when it came.
    struct Call: Equatable, Sendable {
        let model: String?
        let inputTokens: Int64?
        let outputTokens: Int64?
        /// In 10⁻¹² USD; nil where nobody knows.
        let cost: Int64?
    }

    struct Resource: Equatable, Sendable {
        /// A JSON object.
        var attributes: String
        let schemaURL: String
    }

    struct Scope: Equatable, Sendable {
        let name: String
        let version: String
        /// A JSON object.
        var attributes: String
        let schemaURL: String
    }

    init(_ columns: inout ColumnReader) throws(QueryError) {
        span = try FoundSpan(&columns)
        traceState = try columns.optionalText()
        flags = try columns.integer()
        droppedAttributes = try columns.optionalInteger()
        droppedEvents = try columns.optionalInteger()
        droppedLinks = try columns.optionalInteger()
        resourceID = try columns.integer()
        scopeID = try columns.integer()
        attributes = try columns.text()
        events = try columns.optionalText()
        links = try columns.optionalText()
        let resource = (try columns.optionalText(), try columns.optionalText())
        if case (let attributes?, let schemaURL?) = resource {
            self.resource = Resource(attributes: attributes, schemaURL: schemaURL)
        } else {
            self.resource = nil
        }
        let scope = (
            try columns.optionalText(), try columns.optionalText(), try columns.optionalText(),
            try columns.optionalText()
        )
        if case (let name?, let version?, let attributes?, let schemaURL?) = scope {
            self.scope = Scope(name: name, version: version, attributes: attributes, schemaURL: schemaURL)
        } else {
            self.scope = nil
        }
        let isCall = try columns.optionalInteger() != nil
        let call = Call(
            model: try columns.optionalText(), inputTokens: try columns.optionalInteger(),
            outputTokens: try columns.optionalInteger(), cost: try columns.optionalInteger())
        self.call = isCall ? call : nil
    }
}

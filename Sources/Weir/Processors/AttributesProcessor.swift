/// Changes the attributes of spans.
struct AttributesProcessor: Processor {
    struct Configuration: Configurable {
        /// The changes, in their order.
        let actions: [AttributeAction]
        /// Which spans are changed; nil means all.
        let selection: Condition?

        init(_ fields: inout Fields) throws(ConfigError) {
            actions = AttributeAction.list("actions", from: &fields)
            let include = SpanMatch.optional("include", "The spans to change; all if left out.", from: &fields)
            let exclude = SpanMatch.optional("exclude", "Spans that are not changed though included.", from: &fields)
            let parts = [include?.expression, exclude.map { .not($0.expression) }].compactMap(\.self)
            selection = parts.isEmpty ? nil : Condition(.all(parts))
        }
    }

    static let type = "attributes"
    static let help = "Inserts, updates, deletes, extracts and converts attributes of spans."

    private var actions: AttributeActions
    private let selection: Condition?
    private let telemetry: MatchTelemetry

    init(_ configuration: Configuration, _ context: Context) {
        actions = AttributeActions(configuration.actions)
        selection = configuration.selection
        telemetry = MatchTelemetry(context)
    }

    mutating func process(_ batch: inout Batch) {
        actions.begin()
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            if let selection, !selection.matches(batch, span: batch.spans[index]) { continue }
            actions.apply(to: .span(index), in: &batch)
        }
        telemetry.take(from: batch)
    }
}

/// Attributes of one's own that say what one that Weir knows would say.
struct AttributeMapping: Sendable {
    /// The first of them that a span has counts.
    let from: [AttributeKey]
    /// What it is written as where the span does not have it.
    let to: AttributeKey

    /// An entry of `mappings`.
    init(_ fields: inout Fields) {
        let names = fields.strings(
            "from", default: [], count: 1...20, "The attributes; the first that is there counts.")
        let name = fields.string("to", "What it is, as gen_ai.usage.input_tokens; docs/cost.md has the names.")
        let isKnown = Array(name.utf8).withUnsafeBytes { GenAIAttributes.attribute(of: $0) != nil }
        if !name.isEmpty, !isKnown || name.hasPrefix("weir.cost.") {
            fields.reject(
                "to",
                "found \(name.quotedForMessage), wanted an attribute that Weir knows, as gen_ai.usage.input_tokens")
        }
        from = names.map { AttributeKey($0) }
        to = AttributeKey(name)
    }

    /// What the span had stays as it is.
    func apply(to index: Int, of batch: inout Batch) {
        let attributes = batch.spans[index].attributes
        guard batch.firstIndex(of: to, in: attributes) == nil else { return }
        for key in from {
            guard let place = batch.firstIndex(of: key, in: attributes) else { continue }
            return batch.set(to, to: batch.storedValue(at: place), of: .span(index))
        }
    }
}

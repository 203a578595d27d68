/// One of the rules of `sampling`.
struct SamplingRule: Sendable {
    /// Bytes of a name.
    static let maximumName = 64

    let name: String
    /// Nil is every span.
    let condition: Condition?
    let threshold: SamplingThreshold
    /// The attribute whose value decides instead of the trace id; of the span, or else of its resource.
    let key: AttributeKey?

    init(_ fields: inout Fields, precision: Int) {
        name = fields.parsed("name", standIn: "", "What the rule is called, on spans and in metrics.") {
            text throws(ConfigError) in
            guard (1...Self.maximumName).contains(text.utf8.count) else {
                throw ConfigError(found: "\(text.utf8.count) bytes", wanted: "1 to \(Self.maximumName)")
            }
            return text
        }
        condition = fields.parsed(
            "when", default: nil, type: "condition",
            "Which spans the rule is for, in the language of filter. Without it, all that come to it."
        ) { text throws(ConfigError) in try Condition(parsing: text) }
        let probability = fields.parsed(
            "probability", standIn: 1.0, type: "number", "The part of the spans that is kept, from 0 to 1."
        ) { text throws(ConfigError) in
            guard let number = Double(text), number == 0 || (0x1p-56...1).contains(number) else {
                throw ConfigError(found: text.quotedForMessage, wanted: "0, or a number from 1.4e-17 to 1")
            }
            return number
        }
        threshold = SamplingThreshold(probability: probability, precision: precision)
        key = fields.optionalString(
            "key",
            "The attribute, such as session.id, whose values are kept whole: spans with the same value are all kept or"
                + " all left out. Without it, and for spans that do not have it, traces are."
        ).map { AttributeKey($0) }
        if key?.text == "" { fields.reject("key", "found an empty string, wanted an attribute's key") }
    }

    func matches(_ span: SpanRecord, in batch: borrowing Batch) -> Bool {
        condition?.matches(batch, span: span) ?? true
    }
}

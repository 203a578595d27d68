/// What the attribute `sampling.priority` asks for, as OpenTracing's conventions have it.
enum SamplingPriority {
    case mustKeep
    case mustNotKeep

    private static let key = AttributeKey("sampling.priority")

    /// Nil where the span asks for nothing. Instrumentations send the number as any type.
    init?(of span: SpanRecord, in batch: borrowing Batch) {
        let number: Double? =
            switch batch.value(of: Self.key, in: span.attributes) {
            case .int(let number)?: Double(number)
            case .double(let number)?: number
            case .string(let text)? where text.count <= 32: Double(String(decoding: text, as: UTF8.self))
            default: nil
            }
        guard let number, number >= 0 else { return nil }
        self = number == 0 ? .mustNotKeep : .mustKeep
    }
}

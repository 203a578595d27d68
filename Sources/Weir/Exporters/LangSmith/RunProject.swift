/// The project of a trace's runs, where a span of it names one: `langsmith.trace.session_id`,
/// `langsmith.trace.session_name`, or the attribute that the configuration names.
enum RunProject: Hashable, Sendable {
    /// Characters of a name.
    static let maxName = 512
    private static let own = AttributeKey("langsmith.trace.session_name")
    private static let ownID = AttributeKey("langsmith.trace.session_id")

    case name(String)
    /// A UUID.
    case id(String)

    /// - Parameter key: an attribute of spans or resources.
    init?(of span: SpanRecord, _ key: AttributeKey?, _ batch: borrowing Batch) {
        if let id = Self.text(batch.value(of: Self.ownID, in: span.attributes)), LangSmithTarget.isUUID(id) {
            self = .id(id)
        } else if let name = Self.text(batch.value(of: Self.own, in: span.attributes)) {
            self = .name(name)
        } else if let key,
            let name = Self.text(
                batch.value(of: key, in: span.attributes)
                    ?? batch.resourceValue(of: key, for: span))
        {
            self = .name(name)
        } else {
            return nil
        }
    }

    /// Nil where it is no text, has nothing to be seen, or is encrypted.
    private static func text(_ value: AnyValue?) -> String? {
        guard case .string(let bytes)? = value, !Envelope.hasPrefix(bytes) else { return nil }
        let beginning = UnsafeRawBufferPointer(rebasing: bytes.prefix(4 * maxName))
        let scalars = String(decoding: beginning, as: UTF8.self).unicodeScalars.prefix(maxName)
        guard scalars.contains(where: { $0.value > 0x20 }) else { return nil }
        return String(scalars)
    }
}

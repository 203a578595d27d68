/// One change to the attributes of a span or a resource, as the OpenTelemetry Collector's `attributes` and `resource`
/// processors have it.
enum AttributeAction: Sendable {
    enum Source: Sendable {
        case constant(NewValue)
        /// The value of another attribute of the same owner. Where that is missing, nothing happens.
        case attribute(AttributeKey)
    }

    enum ConvertedType: String, CaseIterable, Sendable {
        case int, double, string
    }

    /// Sets the attribute where it is missing.
    case insert(AttributeKey, Source)
    /// Sets the attribute where it is present.
    case update(AttributeKey, Source)
    /// Sets the attribute.
    case upsert(AttributeKey, Source)
    /// Removes the attribute with this key, and those whose key matches.
    case delete(AttributeKey?, RegularExpression?)
    /// Sets an attribute for each named group of an expression that matches the text of this one.
    case extract(AttributeKey, RegularExpression)
    /// Gives the value another type, where it has a meaning in it; else it stays as it is.
    case convert(AttributeKey, ConvertedType)
}

extension AttributeAction {
    /// The words that stand for them in the configuration.
    private enum Verb: String, CaseIterable {
        case insert, update, upsert, delete, extract, convert

        /// The keys that go with `action`.
        var keys: [String] {
            switch self {
            case .insert, .update, .upsert: ["key", "value", "from_attribute"]
            case .delete: ["key", "pattern"]
            case .extract: ["key", "pattern"]
            case .convert: ["key", "converted_type"]
            }
        }
    }

    /// Entries of one list of actions.
    static let maximumCount = 256

    /// Reads the list of actions under `key`.
    static func list(_ key: String, from fields: inout Fields) -> [AttributeAction] {
        fields.list(key, count: 1...maximumCount, "Changes, made in this order.") { AttributeAction(&$0) }
            .compactMap(\.self)
    }

    /// Nil where what was found was rejected.
    private init?(_ fields: inout Fields) {
        let key = fields.optionalString("key", "The attribute's key; only delete can do without, by a pattern.")
        let value = fields.scalar("value", "For insert, update and upsert: the new value.").map(NewValue.init)
        let from = fields.optionalString(
            "from_attribute", "For insert, update and upsert: the attribute that has the new value.")
        let verb: Verb = fields.choice("action", default: nil, "What to do with the attribute.")
        let pattern = fields.expression(
            "pattern", "For extract: an expression whose named groups are the new keys; for delete: one for keys.")
        let type = fields.optionalChoice(
            "converted_type", ConvertedType.self, "For convert: the type that the value is to have.")
        // A second message about a key that is wrong in itself would only distract.
        guard !fields.diagnostics.hasErrors else { return nil }
        let given = [
            "key": key != nil, "value": value != nil, "from_attribute": from != nil, "pattern": pattern != nil,
            "converted_type": type != nil,
        ]
        for name in given.keys.sorted() where given[name] == true && !verb.keys.contains(name) {
            fields.reject(name, "means nothing to \(verb.rawValue), wanted \(verb.keys.joined(separator: ", "))")
        }
        if key?.isEmpty == true { fields.reject("key", "found an empty string, wanted the key of an attribute") }
        guard
            let action = Self.make(
                verb, key.map(AttributeKey.init), Self.source(value, from), pattern, type, in: &fields)
        else { return nil }
        self = action
    }

    /// Nil where neither or both are given.
    private static func source(_ value: NewValue?, _ from: String?) -> Source? {
        switch (value, from) {
        case (let value?, nil): .constant(value)
        case (nil, let from?): .attribute(AttributeKey(from))
        default: nil
        }
    }

    private static func make(
        _ verb: Verb, _ key: AttributeKey?, _ source: Source?, _ pattern: RegularExpression?, _ type: ConvertedType?,
        in fields: inout Fields
    ) -> AttributeAction? {
        switch (verb, key, source) {
        case (.insert, let key?, let source?): return .insert(key, source)
        case (.update, let key?, let source?): return .update(key, source)
        case (.upsert, let key?, let source?): return .upsert(key, source)
        case (.insert, _?, nil), (.update, _?, nil), (.upsert, _?, nil):
            fields.reject("", "found none or both of value and from_attribute, wanted one of them")
        case (.delete, _, _) where key != nil || pattern != nil: return .delete(key, pattern)
        case (.delete, _, _): fields.reject("", "found neither key nor pattern, wanted one of them or both")
        case (.extract, let key?, _):
            if let pattern, !pattern.groupNames.isEmpty { return .extract(key, pattern) }
            fields.reject("pattern", "found no named group, wanted a pattern such as ^/api/(?P<version>[^/]+)")
        case (.convert, let key?, _):
            if let type { return .convert(key, type) }
            fields.reject("converted_type", "is missing, wanted int, double or string")
        case (_, nil, _): fields.reject("key", "is missing, wanted the key of an attribute")
        }
        return nil
    }
}

extension NewValue {
    init(_ scalar: ConfigScalar) {
        switch scalar {
        case .string(let text): self = .string(text)
        case .bool(let value): self = .bool(value)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .strings(let texts): self = .array(texts.map(NewValue.string))
        }
    }
}

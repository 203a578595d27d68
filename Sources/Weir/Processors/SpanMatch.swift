/// What `include` and `exclude` say in the OpenTelemetry Collector's words; a condition in ours.
///
/// A span matches when it has one of the services, one of the names, one of the kinds and one of the libraries, and all
/// of the attributes and resource attributes, as far as each is given. One of them has to be.
struct SpanMatch: Sendable {
    private enum MatchType: String, CaseIterable {
        /// Equal; numbers of either type, if they are the same number.
        case strict
        /// A regular expression that matches a part of the text; numbers and booleans are texts too.
        case regexp
    }

    /// Entries of one list.
    static let maximumCount = 256

    let expression: ConditionExpression

    static func optional(_ key: String, _ help: String, from fields: inout Fields) -> SpanMatch? {
        fields.optionalSection(key, help) { SpanMatch(&$0) }
    }

    private init(_ fields: inout Fields) {
        let type: MatchType = fields.choice("match_type", default: nil, "How texts are compared.")
        let service = ConditionField.resourceAttribute(AttributeKey("service.name"))
        let parts = [
            Self.oneOf("services", "Names of services.", service, type, &fields),
            Self.oneOf("span_names", "Names of spans.", .name, type, &fields),
            Self.kinds(&fields),
            Self.libraries(type, &fields),
            Self.all("attributes", "Attributes of the span.", ConditionField.attribute, type, &fields),
            Self.all("resources", "Attributes of its resource.", ConditionField.resourceAttribute, type, &fields),
        ].compactMap(\.self)
        if parts.isEmpty, !fields.diagnostics.hasErrors {
            fields.reject(
                "",
                "found nothing to match, wanted services, span_names, span_kinds, libraries, attributes or resources")
        }
        expression = .all(parts)
    }

    private static func oneOf(
        _ key: String, _ help: String, _ field: ConditionField, _ type: MatchType, _ fields: inout Fields
    ) -> ConditionExpression? {
        let tests = fields.parsedList(key, count: 0...maximumCount, help) { text throws(ConfigError) in
            try test(text, type)
        }
        return tests.isEmpty ? nil : .any(tests.map { .test(field, $0) })
    }

    private static func kinds(_ fields: inout Fields) -> ConditionExpression? {
        let words = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map { "SPAN_KIND_" + $0 }
        let kinds = fields.parsedList("span_kinds", count: 0...words.count, "Kinds, such as SPAN_KIND_SERVER.") {
            text throws(ConfigError) in
            guard let index = words.firstIndex(of: text) else {
                let hint = suggestion(for: text, among: words)
                throw ConfigError(
                    found: text.quotedForMessage, wanted: "one of \(words.joined(separator: ", "))\(hint)")
            }
            return ConditionLiteral.int(Int64(index))
        }
        return kinds.isEmpty ? nil : .test(.kind, .isOneOf(kinds))
    }

    private static func libraries(_ type: MatchType, _ fields: inout Fields) -> ConditionExpression? {
        let help = "Instrumentation scopes."
        let tests = fields.list("libraries", count: 0...maximumCount, help) { fields -> ConditionExpression in
            let name = fields.parsed("name", standIn: ValueTest.equals(.nil), "The name of the scope.") {
                text throws(ConfigError) in try test(text, type)
            }
            let version = fields.parsed("version", default: ValueTest?.none, "The version; any if left out.") {
                text throws(ConfigError) in try test(text, type)
            }
            return .all([.test(.scopeName, name)] + (version.map { [.test(.scopeVersion, $0)] } ?? []))
        }
        return tests.isEmpty ? nil : .any(tests)
    }

    private static func all(
        _ key: String, _ help: String, _ field: @escaping (AttributeKey) -> ConditionField, _ type: MatchType,
        _ fields: inout Fields
    ) -> ConditionExpression? {
        let tests = fields.list(key, count: 0...maximumCount, help) { fields -> ConditionExpression in
            let field = field(AttributeKey(fields.string("key", "The attribute's key.")))
            guard let value = fields.scalar("value", "The value; any if left out.") else {
                return .not(.test(field, .equals(.nil)))
            }
            do throws(ConfigError) {
                return .test(field, try test(value, type))
            } catch {
                fields.reject("value", error.message)
                return .constant(false)
            }
        }
        return tests.isEmpty ? nil : .all(tests)
    }

    private static func test(_ text: String, _ type: MatchType) throws(ConfigError) -> ValueTest {
        try test(.string(text), type)
    }

    private static func test(_ value: ConfigScalar, _ type: MatchType) throws(ConfigError) -> ValueTest {
        switch (type, value) {
        case (_, .strings): throw ConfigError(found: "a list", wanted: "a single value")
        case (.regexp, .string(let text)): return .matchesAsText(try RegularExpression(parsing: text))
        case (.regexp, _): throw ConfigError(found: value.text, wanted: "a string with a regular expression")
        case (.strict, .string(let text)): return .equals(ConditionLiteral(text))
        case (.strict, .bool(let flag)): return .equals(.bool(flag))
        case (.strict, .int(let number)): return .equals(.int(number))
        case (.strict, .double(let number)): return .equals(.double(number))
        }
    }
}

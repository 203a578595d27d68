/// Getters of single values. Each takes the key, its default and range, and one line of help.
extension Fields {
    /// A text. Without a default the key is required, and must not be empty.
    mutating func string(_ key: String, default: String? = nil, secret: Bool = false, _ help: String) -> String {
        var field = FieldDescription(key: key, type: "string", help: help, isSecret: secret)
        field.isRequired = `default` == nil
        return value(field, default: `default` ?? "", shown: ConfigScalar.string) { text throws(ConfigError) in
            guard !text.isNull else { throw ConfigError(found: text.found, wanted: "a string") }
            guard `default` != nil || !text.text.isEmpty else {
                throw ConfigError(found: "an empty string", wanted: "a string that is not empty")
            }
            return text.text
        }
    }

    /// A text that may be left out.
    mutating func optionalString(_ key: String, secret: Bool = false, _ help: String) -> String? {
        let field = FieldDescription(key: key, type: "string", help: help, isSecret: secret)
        return value(field, default: nil, shown: { $0.map(ConfigScalar.string) }) { text throws(ConfigError) in
            guard !text.isNull else { throw ConfigError(found: text.found, wanted: "a string") }
            return text.text
        }
    }

    mutating func int(_ key: String, default: Int, in range: ClosedRange<Int>, _ help: String) -> Int {
        let limits = range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range)"
        let field = FieldDescription(key: key, type: "integer", help: help, range: limits)
        return value(field, default: `default`, shown: { .int(Int64($0)) }) { text throws(ConfigError) in
            guard let number = text.integer.map(Int.init), range.contains(number) else {
                throw ConfigError(found: text.found, wanted: "an integer in \(limits)")
            }
            return number
        }
    }

    mutating func number(_ key: String, default: Double, in range: ClosedRange<Double>, _ help: String) -> Double {
        let field = FieldDescription(key: key, type: "number", help: help, range: "\(range)")
        return value(field, default: `default`, shown: ConfigScalar.double) { text throws(ConfigError) in
            guard let number = text.number, range.contains(number) else {
                throw ConfigError(found: text.found, wanted: "a number in \(range)")
            }
            return number
        }
    }

    mutating func bool(_ key: String, default: Bool, _ help: String) -> Bool {
        let field = FieldDescription(key: key, type: "boolean", help: help)
        return value(field, default: `default`, shown: ConfigScalar.bool) { text throws(ConfigError) in
            guard let value = text.bool else { throw ConfigError(found: text.found, wanted: "true or false") }
            return value
        }
    }

    mutating func duration(
        _ key: String, default: Duration, in range: ClosedRange<Duration>, _ help: String
    ) -> Duration {
        let limits = "\(range.lowerBound.text)...\(range.upperBound.text)"
        let field = FieldDescription(key: key, type: "duration", help: help, range: limits)
        return value(field, default: `default`, shown: { .string($0.text) }) { text throws(ConfigError) in
            guard let duration = Duration(parsing: text.text) else {
                throw ConfigError(found: text.found, wanted: "a duration such as 200ms, 10s or 1h30m, in \(limits)")
            }
            guard range.contains(duration) else {
                throw ConfigError(found: duration.text, wanted: "a duration in \(limits)")
            }
            return duration
        }
    }

    mutating func bytes(
        _ key: String, default: ByteCount, in range: ClosedRange<ByteCount>, _ help: String
    ) -> ByteCount {
        let field = FieldDescription(key: key, type: "size", help: help, range: "\(range)")
        return value(field, default: `default`, shown: { $0.scalar }) { text throws(ConfigError) in
            guard let count = ByteCount(parsing: text.text) else {
                throw ConfigError(found: text.found, wanted: "a size such as 4096, 128KiB or 64MiB, in \(range)")
            }
            guard range.contains(count) else {
                throw ConfigError(found: count.description, wanted: "a size in \(range)")
            }
            return count
        }
    }

    /// One word of several. Without a default the key is required.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default: Choice?, _ help: String
    ) -> Choice where Choice.RawValue == String {
        guard let standIn = `default` ?? Choice.allCases.first else {
            preconditionFailure("\(Choice.self) leaves nothing to choose")
        }
        // One that is empty is for those who write nothing.
        let words = Choice.allCases.map(\.rawValue).filter { !$0.isEmpty }
        let wanted = "one of \(words.joined(separator: ", "))"
        var field = FieldDescription(key: key, type: wanted, help: help)
        field.isRequired = `default` == nil
        return value(field, default: standIn, shown: { .string($0.rawValue) }) { text throws(ConfigError) in
            guard let choice = Choice(rawValue: text.text) else {
                let suggestion = suggestion(for: text.text, among: words)
                throw ConfigError(found: text.found, wanted: wanted + suggestion)
            }
            return choice
        }
    }

    /// A host and a port.
    mutating func endpoint(_ key: String, default: Endpoint, _ help: String) -> Endpoint {
        parsed(key, default: `default`, type: "endpoint", help, Endpoint.init(parsing:))
    }

    /// A text with a grammar of its own. A default of `Optional` type makes an optional key.
    ///
    /// - Parameter parse: Throws what was found and what was wanted.
    mutating func parsed<Value>(
        _ key: String, default: Value, type: String = "string", _ help: String,
        _ parse: (String) throws(ConfigError) -> Value
    ) -> Value {
        parsed(FieldDescription(key: key, type: type, help: help), default: `default`, parse)
    }

    /// A required text with a grammar of its own. `standIn` is returned where it is missing or wrong, and then not
    /// used.
    mutating func parsed<Value>(
        _ key: String, standIn: Value, type: String = "string", secret: Bool = false, _ help: String,
        _ parse: (String) throws(ConfigError) -> Value
    ) -> Value {
        let field = FieldDescription(key: key, type: type, help: help, isRequired: true, isSecret: secret)
        return parsed(field, default: standIn, parse)
    }

    private mutating func parsed<Value>(
        _ field: FieldDescription, default: Value, _ parse: (String) throws(ConfigError) -> Value
    ) -> Value {
        var written: ConfigScalar?
        let shown = { (value: Value) -> ConfigScalar? in
            written ?? (value as? any CustomStringConvertible).map { .string($0.description) }
        }
        return value(field, default: `default`, shown: shown) { text throws(ConfigError) in
            guard !text.isNull else { throw ConfigError(found: text.found, wanted: "a \(field.type)") }
            let value: Value
            do throws(ConfigError) {
                value = try parse(text.text)
            } catch {
                guard field.isSecret else { throw error }
                throw ConfigError(found: "\(text.text.count) characters", wanted: "a \(field.type)")
            }
            written = .string(text.text)
            return value
        }
    }

    /// The way of all getters above: look the key up, describe it, record what is wrong.
    private mutating func value<Value>(
        _ field: FieldDescription, default: Value, shown: (Value) -> ConfigScalar?,
        _ parse: (ConfigText) throws(ConfigError) -> Value
    ) -> Value {
        var field = field
        var value = `default`
        if !field.isRequired { field.default = shown(`default`) }
        var isGiven = false
        let place = Fields.path(path, field.key)
        switch node(field.key) {
        case nil:
            if field.isRequired { rejectMissing(field.key, wanted: field.type.withArticle) }
        case .some(let node):
            guard case .scalar(let text) = node.content else {
                rejectKind(of: node, path: place, wanted: field.type.withArticle)
                break
            }
            do {
                value = try parse(text)
                isGiven = true
            } catch {
                record(line: node.line, path: place, error.message)
            }
        }
        if isGiven || !field.isRequired { field.value = shown(value).map(FieldDescription.Value.scalar) }
        describe(field)
        return value
    }

    /// A value that keeps the type it has in the file: text, number, boolean or a list of texts. Nil where it is left
    /// out.
    mutating func scalar(_ key: String, _ help: String) -> ConfigScalar? {
        var field = FieldDescription(key: key, type: "string, boolean, integer, number or list of strings", help: help)
        defer { describe(field) }
        guard let node = node(key) else { return nil }
        let place = Fields.path(path, key)
        switch node.content {
        case .scalar(let text):
            guard let value = text.typed else {
                record(line: node.line, path: place, "found nothing, wanted a value")
                return nil
            }
            field.value = .scalar(value)
            return value
        case .sequence:
            let items = items(of: node, path: place, count: 0...Self.maximumItems).map(\.text)
            field.value = .scalar(.strings(items))
            return .strings(items)
        case .mapping, .unreadable:
            rejectKind(of: node, path: place, wanted: "a \(field.type)")
            return nil
        }
    }
}

extension String {
    fileprivate var withArticle: String {
        if hasPrefix("one of ") { return self }
        return (first.map { "aeiou".contains($0) } ?? false ? "an " : "a ") + self
    }
}

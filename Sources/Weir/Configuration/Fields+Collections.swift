/// Getters of sections and lists.
extension Fields {
    /// The items that a list has at most where the component did not set a limit of its own.
    static let maximumItems = 10_000

    /// A list of texts. A default that has too few items makes the key required.
    mutating func strings(
        _ key: String, default: [String], count: ClosedRange<Int>, _ help: String
    ) -> [String] {
        var field = FieldDescription(key: key, type: "list of strings", help: help, range: "\(count) entries")
        field.isRequired = !count.contains(`default`.count)
        if !field.isRequired { field.default = .strings(`default`) }
        var texts = `default`
        if let node = node(key) {
            texts = items(of: node, path: Fields.path(path, key), count: count).map(\.text)
        } else if field.isRequired {
            rejectMissing(key, wanted: "a list of \(count) entries")
        }
        field.value = .scalar(.strings(texts))
        describe(field)
        return texts
    }

    /// A list of texts with a grammar of their own. Required where `count` does not allow an empty list.
    ///
    /// - Parameter parse: Throws what was found and what was wanted; that is recorded, and the item left out.
    mutating func parsedList<Value>(
        _ key: String, count: ClosedRange<Int>, _ help: String, _ parse: (String) throws(ConfigError) -> Value
    ) -> [Value] {
        let place = Fields.path(path, key)
        guard let node = node(key) else {
            _ = strings(key, default: [], count: count, help)
            return []
        }
        let items = items(of: node, path: place, count: count)
        let field = FieldDescription(key: key, type: "list of strings", help: help, range: "\(count) entries")
        describe(field.with(.scalar(.strings(items.map(\.text)))))
        return items.compactMap { item in
            do throws(ConfigError) {
                return try parse(item.text)
            } catch {
                record(line: item.line, path: item.path, error.message)
                return nil
            }
        }
    }

    /// Keys of their own below `key`; where it is left out, they all have their defaults.
    mutating func section<Value>(_ key: String, _ help: String, _ read: (inout Fields) -> Value) -> Value {
        let (value, children) = descend(into: node(key), path: Fields.path(path, key), read)
        describe(FieldDescription(key: key, type: "section", help: help, value: .mapping(children)))
        return value
    }

    /// Keys of their own below `key`; nil where it is left out.
    mutating func optionalSection<Value>(_ key: String, _ help: String, _ read: (inout Fields) -> Value) -> Value? {
        guard node(key) != nil || mode == .documenting else {
            describe(FieldDescription(key: key, type: "optional section", help: help))
            return nil
        }
        let (value, children) = descend(into: node(key), path: Fields.path(path, key), read)
        describe(FieldDescription(key: key, type: "optional section", help: help, value: .mapping(children)))
        return node(key) == nil ? nil : value
    }

    /// A list of mappings. Required where `count` does not allow an empty list.
    mutating func list<Value>(
        _ key: String, count: ClosedRange<Int>, _ help: String, _ read: (inout Fields) -> Value
    ) -> [Value] {
        var field = FieldDescription(key: key, type: "list of sections", help: help, range: "\(count) entries")
        field.isRequired = !count.contains(0)
        let place = Fields.path(path, key)
        var values: [Value] = []
        var children: [[FieldDescription]] = []
        func add(_ node: ConfigNode?) {
            let item = descend(into: node, path: "\(place)[\(values.count)]", read)
            values.append(item.value)
            children.append(item.children)
        }
        if let node = node(key) {
            for item in nodes(of: node, path: place, count: count) { add(item) }
        } else if mode == .documenting {
            add(nil)
            values = []
        } else if field.isRequired {
            rejectMissing(key, wanted: "a list of \(count) entries")
        }
        field.value = .list(children)
        describe(field)
        return values
    }

    /// A mapping whose keys are names that the author chose. Required where `count` does not allow an empty one.
    mutating func named<Value>(
        _ key: String, count: ClosedRange<Int>, _ help: String,
        _ read: (_ name: String, _ fields: inout Fields) -> Value
    ) -> [Value] {
        var field = FieldDescription(key: key, type: "section of names", help: help, range: "\(count) entries")
        field.isRequired = !count.contains(0)
        if node(key) == nil, field.isRequired { rejectMissing(key, wanted: "\(count) entries") }
        let isGiven = node(key) != nil
        let (values, children) = descend(into: node(key), path: Fields.path(path, key)) { names in
            if isGiven, !count.contains(names.keys.count) {
                names.reject("", "found \(names.keys.count) entries, wanted \(count)")
                names.acceptsAnyKey = true
            }
            return names.keys.prefix(count.upperBound).map { name in names.entry(name, read) }
        }
        field.value = .mapping(children)
        describe(field)
        return values
    }

    private mutating func entry<Value>(_ name: String, _ read: (String, inout Fields) -> Value) -> Value {
        section(name, "") { fields in read(name, &fields) }
    }

    /// How many items a list has, those included that are none; nil where there is no list.
    func items(_ key: String) -> Int? {
        guard case .sequence(let items)? = node(key)?.content else { return nil }
        return items.count
    }

    /// The texts of a list; what is no text is recorded and left out.
    mutating func items(
        of node: ConfigNode, path: String, count: ClosedRange<Int>
    ) -> [(text: String, line: Int, path: String)] {
        nodes(of: node, path: path, count: count).enumerated().compactMap { index, item in
            let place = "\(path)[\(index)]"
            if case .scalar(let text) = item.content, !text.isNull { return (text.text, item.line, place) }
            rejectKind(of: item, path: place, wanted: "a string")
            return nil
        }
    }

    private mutating func nodes(of node: ConfigNode, path: String, count: ClosedRange<Int>) -> [ConfigNode] {
        guard case .sequence(let items) = node.content else {
            rejectKind(of: node, path: path, wanted: "a list of \(count) entries")
            return []
        }
        guard count.contains(items.count) else {
            record(line: node.line, path: path, "found \(items.count) entries, wanted \(count)")
            return Array(items.prefix(count.upperBound))
        }
        return items
    }
}

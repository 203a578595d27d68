/// A tree that a vocabulary has flattened into attributes, such as OpenInference's
/// `llm.input_messages.0.message.content` and Traceloop's `gen_ai.prompt.0.content`, put together again.
struct DottedAttributes {
    private enum Part {
        case index(Int)
        case name(UnsafeRawBufferPointer)
    }

    private struct Entry {
        let path: [Part]
        let value: JSONTree
    }

    /// Levels of OpenInference that only say what stands below them.
    private static let wrappers = ["message", "tool_call", "message_content", "document", "embedding"].map(
        AttributeKey.init)
    /// Parts of a key behind which the rest is one part.
    private static let maxDepth = 16

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    init() {}

    /// - Parameter key: what stands behind the prefix that the attributes of the tree have in common.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: AnyValue) {
        entries.append(Entry(path: Self.path(key), value: JSONTree(value)))
    }

    /// Arrays where all parts are numbers, in their order; else objects.
    func tree() -> JSONTree? {
        guard !entries.isEmpty else { return nil }
        return Self.tree(entries.sorted { Self.isBefore($0.path, $1.path) }[...], depth: 0)
    }

    private static func path(_ key: UnsafeRawBufferPointer) -> [Part] {
        var parts: [Part] = []
        var rest = key[...]
        while !rest.isEmpty {
            let isLast = parts.count == maxDepth
            let part = UnsafeRawBufferPointer(rebasing: isLast ? rest : rest.prefix { $0 != UInt8(ascii: ".") })
            rest = rest.dropFirst(part.count + 1)
            if !rest.isEmpty, wrappers.contains(where: { $0.equals(part) }) { continue }
            let isNumber = !part.isEmpty && part.count <= 6 && part.allSatisfy(isDigit)
            parts.append(isNumber ? .index(part.reduce(0) { $0 * 10 + Int($1) - 0x30 }) : .name(part))
        }
        return parts
    }

    /// Numbers go before names.
    private static func isBefore(_ left: [Part], _ right: [Part]) -> Bool {
        for (one, other) in zip(left, right) where !isSame(one, other) {
            return switch (one, other) {
            case (.index(let one), .index(let other)): one < other
            case (.index, .name): true
            case (.name, .index): false
            case (.name(let one), .name(let other)): one.lexicographicallyPrecedes(other)
            }
        }
        return left.count < right.count
    }

    private static func isSame(_ left: Part, _ right: Part) -> Bool {
        switch (left, right) {
        case (.index(let left), .index(let right)): left == right
        case (.name(let left), .name(let right)): left.count == right.count && left.elementsEqual(right)
        default: false
        }
    }

    private static func tree(_ entries: ArraySlice<Entry>, depth: Int) -> JSONTree {
        // A key that is the beginning of others has no place of its own in a tree.
        let below = entries.drop { $0.path.count <= depth }
        guard let first = below.first else { return entries.last?.value ?? .null }
        var members: [(part: Part, value: JSONTree)] = []
        var start = below.startIndex
        var part = first.path[depth]
        for index in below.indices.dropFirst() where !isSame(entries[index].path[depth], part) {
            members.append((part, tree(below[start..<index], depth: depth + 1)))
            start = index
            part = entries[index].path[depth]
        }
        members.append((part, tree(below[start...], depth: depth + 1)))
        // They are sorted, so the last is a number only where all are.
        if case .index = part { return .array(members.map(\.value)) }
        return .object(
            members.map { part, value in
                switch part {
                case .index(let index): (.own("\(index)"), value)
                case .name(let name): (.plain(name), value)
                }
            })
    }
}

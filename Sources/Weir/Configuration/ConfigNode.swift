/// A configuration file after parsing and substitution, with the lines that its parts stand on.
struct ConfigNode: Sendable {
    struct Entry: Sendable {
        let key: String
        let value: ConfigNode
    }

    enum Content: Sendable {
        case scalar(ConfigText)
        case sequence([ConfigNode])
        /// No key occurs twice.
        case mapping([Entry])
        /// Reported already; whoever reads it stays silent.
        case unreadable
    }

    /// Counted from 1. What stands behind a key has the key's line.
    let line: Int
    let content: Content

    /// The line of a key of this mapping; nil where it has none.
    func line(of key: String) -> Int? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value.line
    }

    /// Whether nothing was wrong with it that is reported already.
    var isReadable: Bool {
        if case .unreadable = content { false } else { true }
    }

    /// How a message names the value where it may be a secret: what stands in place of a mapping, whose keys may be.
    var kind: String {
        if case .scalar = content { "a single value" } else { found }
    }

    /// How a message names the value.
    var found: String {
        switch content {
        case .scalar(let text): text.found
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .unreadable: "nothing readable"
        }
    }

    /// Of what it says, wherever it stands.
    func hash(into hasher: inout Hasher) {
        switch content {
        case .scalar(let text):
            hasher.combine(0)
            hasher.combine(text.text)
            hasher.combine(text.isQuoted)
        case .sequence(let nodes):
            hasher.combine(1)
            hasher.combine(nodes.count)
            for node in nodes { node.hash(into: &hasher) }
        case .mapping(let entries):
            hasher.combine(2)
            hasher.combine(entries.count)
            for entry in entries {
                hasher.combine(entry.key)
                entry.value.hash(into: &hasher)
            }
        case .unreadable: hasher.combine(3)
        }
    }

    var isNull: Bool {
        guard case .scalar(let text) = content else { return false }
        return text.isNull
    }
}

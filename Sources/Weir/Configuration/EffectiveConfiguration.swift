import Yams

/// Writes fields as YAML that reads back as the same configuration, but for its secrets.
struct EffectiveConfiguration {
    static let hidden = "[hidden]"

    let fields: [FieldDescription]

    func yaml() throws -> String {
        try Yams.serialize(node: node(fields), width: -1, allowUnicode: true)
    }

    private func node(_ fields: [FieldDescription]) -> Node {
        let pairs = fields.compactMap { field -> (Node, Node)? in
            guard let value = field.value else { return nil }
            return (node(text: field.key), field.hasSecret ? node(.string(Self.hidden)) : node(value))
        }
        return .mapping(Node.Mapping(pairs, .implicit, pairs.isEmpty ? .flow : .block))
    }

    private func node(_ value: FieldDescription.Value) -> Node {
        switch value {
        case .scalar(let scalar): node(scalar)
        case .mapping(let children): node(children)
        case .list(let items): .sequence(Node.Sequence(items.map(node), .implicit, items.isEmpty ? .flow : .block))
        }
    }

    private func node(_ scalar: ConfigScalar) -> Node {
        switch scalar {
        // What looks like a substitution here came out of one, or was written with `$$`.
        case .string(let text): node(text: text.replacing("$", with: "$$"))
        case .strings(let items): .sequence(Node.Sequence(items.map { node(.string($0)) }, .implicit, .flow))
        case .bool, .int, .double: .scalar(Node.Scalar(scalar.text, .implicit, .plain))
        }
    }

    /// In quotes where the text alone would be read as something else, be it by us or by a reader of YAML 1.1 (`no`,
    /// `007`).
    private func node(text: String) -> Node {
        let isPlain = ConfigText(text: text, isQuoted: false, isExpanded: false).typed == .string(text)
        let isPlainElsewhere = Node.scalar(Node.Scalar(text)).tag == Yams.Tag(.str)
        return .scalar(Node.Scalar(text, Yams.Tag(.str), isPlain && isPlainElsewhere ? .any : .doubleQuoted))
    }
}

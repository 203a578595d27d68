/// One key that a component reads: what `weir components` says of it, and the value that it has in a file.
struct FieldDescription: Sendable {
    enum Value: Sendable {
        case scalar(ConfigScalar)
        case mapping([FieldDescription])
        case list([[FieldDescription]])
    }

    let key: String
    /// In words: `string`, `duration`, `list of sections`.
    let type: String
    let help: String
    var isRequired = false
    var isSecret = false
    /// Absent where the key is required, or where leaving it out means something that no value says.
    var `default`: ConfigScalar?
    /// What the value may be, or how many there may be: `1...65535`, `1...100 entries`.
    var range: String?
    /// The value in the file, or its default; nil where there is none.
    var value: Value?

    /// Whether the value is one, and not the default.
    var hasSecret: Bool {
        guard isSecret else { return false }
        if case .scalar(let scalar)? = value { return scalar != `default` }
        return true
    }

    func with(_ value: Value) -> FieldDescription {
        var field = self
        field.value = value
        return field
    }

    /// The keys below this one; those of the first item where there are several.
    var children: [FieldDescription] {
        switch value {
        case .mapping(let children): children
        case .list(let items): items.first ?? []
        case .scalar, nil: []
        }
    }
}

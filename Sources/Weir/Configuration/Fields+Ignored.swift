extension Fields {
    /// A key that is accepted for the sake of existing files and does nothing, which `weir check` then says.
    mutating func ignore(_ key: String, _ reason: String) {
        describe(FieldDescription(key: key, type: "anything", help: "Has no effect: \(reason)."))
        guard let node = node(key) else { return }
        record(.note, line: node.line, path: Fields.path(path, key), "has no effect: \(reason)")
    }
}

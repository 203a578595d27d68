/// What is encrypted, and how. Shared by all lanes.
struct EncryptionPolicy: Sendable {
    /// Attributes, wherever they stand.
    var fields: [GlobPattern] = []
    /// Prompts, answers, tool calls and documents, by the keys of all vocabularies.
    var content = false
    var statusMessage = false
    /// Attributes of spans that get an index beside them, by which equal values are found.
    var indexed: [AttributeKey] = []
    /// Attributes that name the person whose span it is; the first that a span has holds.
    var subjects: [AttributeKey] = []
    var suite = CipherSuite.xaes256gcm

    func wants(_ key: UnsafeRawBufferPointer) -> Bool {
        content && ContentKeys.has(key) || fields.contains { $0.matches(key) }
    }

    func wants(_ key: String) -> Bool {
        Array(key.utf8).withUnsafeBytes { wants($0) }
    }
}

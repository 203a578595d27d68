/// What is encrypted, and how. Shared by all lanes.
struct EncryptionPolicy: Sendable {
    /// Attributes, wherever they stand, and what stands in their values.
    var fields: [KeyPattern] = []
    /// Prompts, answers, tool calls and documents, by the keys of all vocabularies.
    var content = false
    /// How spans failed: the message of the status, and what says the same in attributes.
    var statusMessage = false
    /// Attributes of spans, and paths below them, that get an index beside them, by which equal values are found.
    var indexed: [AttributeKey] = []
    /// Attributes that name the person whose span it is; the first that a span has holds.
    var subjects: [AttributeKey] = []
    /// That one request may be about.
    var maxPersons = 10_000
    var suite = CipherSuite.xaes256gcm

    /// - Parameter ofMessage: the attribute is one of an event such as `gen_ai.user.message`.
    func wish(for key: UnsafeRawBufferPointer, ofMessage: Bool = false) -> EncryptionWish {
        if content && ContentKeys.has(key, ofMessage: ofMessage) || statusMessage && ContentKeys.isFailure(key)
            || fields.contains(where: { $0.matches(key) })
        {
            return .whole
        }
        return fields.contains { $0.mayMatch(below: key) } ? .members : .none
    }

    func wants(_ key: String) -> Bool {
        Array(key.utf8).withUnsafeBytes { wish(for: $0) == .whole }
    }

    /// - Parameters:
    ///   - path: of something that stands in the value of an attribute.
    ///   - below: where the names of members begin, with the dot in front.
    func wants(_ path: UnsafeRawBufferPointer, below: Int) -> Bool {
        fields.contains { $0.matches(path, below: below) }
    }

    /// Whether this can be the path of something that is encrypted.
    func mayWant(memberAt path: String) -> Bool {
        let bytes = Array(path.utf8)
        return bytes.withUnsafeBytes { path in
            path.indices.contains { path[$0] == UInt8(ascii: ".") && wants(path, below: $0) }
        }
    }
}

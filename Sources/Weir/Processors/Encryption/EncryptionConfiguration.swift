/// The keys of the processor `encryption`.
struct EncryptionConfiguration: Configurable {
    let policy: EncryptionPolicy
    let keystore: ComponentID

    var traits: ProcessorTraits {
        let content = GenAIAttribute.inputMessages.keys + GenAIAttribute.input.keys + GenAIAttribute.output.keys
        return content.contains(where: policy.wants) ? [.encrypts, .encryptsContent] : .encrypts
    }

    func covers(_ key: AttributeKey) -> Bool { policy.wants(key.text) }

    init(_ fields: inout Fields) throws(ConfigError) {
        var policy = EncryptionPolicy()
        policy.fields = fields.strings(
            "fields", default: [], count: 0...1000,
            "Attributes whose values are encrypted, or paths below them; * stands for any text."
        ).map { fields.keyPattern($0, "fields") }
        policy.content = fields.bool("content", default: false, "Prompts, answers and documents of all vocabularies.")
        policy.statusMessage = fields.bool(
            "status_message", default: false, "How spans failed: messages of statuses, and what says the same.")
        policy.indexed = fields.strings(
            "indexed", default: [], count: 0...16,
            "Encrypted attributes of spans, or paths below them, that equal values are to be found by: KEY.index "
                + "stands beside each."
        ).map(AttributeKey.init)
        policy.subjects = fields.strings(
            "subjects", default: [], count: 0...16,
            "Attributes that name a person, such as user.id: each person has data keys of its own."
        ).map(AttributeKey.init)
        policy.maxPersons = fields.int(
            "max_persons", default: policy.maxPersons, in: 1...1_000_000,
            "Persons that one request may be about; one with more, or with more than the keystore keeps in memory, is "
                + "refused with 413.")
        let suite = fields.string("algorithm", default: CipherSuite.xaes256gcm.name, "xaes-256-gcm or aes-256-gcm.")
        if let suite = CipherSuite(name: suite) {
            policy.suite = suite
        } else {
            let wanted = CipherSuite.allCases.map(\.name).joined(separator: " or ")
            fields.reject("algorithm", "found \(suite.quotedForMessage), wanted \(wanted)")
        }
        for name in policy.indexed where !policy.wants(name.text) && !policy.mayWant(memberAt: name.text) {
            fields.reject("indexed", "found \(name.text.quotedForMessage), wanted one that is encrypted")
        }
        for subject in policy.subjects where policy.wants(subject.text) {
            // An erasure looks for the person by what the attribute says.
            fields.reject(
                "subjects",
                "found \(subject.text.quotedForMessage), which is encrypted as well: nobody could find the person's "
                    + "spans to erase them, wanted it out of fields; processor redaction makes a token of it")
        }
        if let warning = SubjectFamily.warning(ofRuleThat: policy.wants) { fields.warn("fields", warning) }
        keystore = fields.extensionID("keystore", .keystore, "The extension that has the data keys.")
        self.policy = policy
    }
}

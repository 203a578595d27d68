import ArgumentParser

/// `weir keys destroy`
struct KeysDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "Destroys data keys for ever, in the store and the backups of it that are where they were made.",
        discussion: "What was encrypted under them cannot be read any more, by anybody, in any copy.")

    @OptionGroup var options: KeysOptions

    @Option(help: ArgumentHelp("One data key.", valueName: "id"))
    var key: String?

    @Option(help: ArgumentHelp("Whose keys.", valueName: "name"))
    var tenant: String?

    @Option(
        help: ArgumentHelp(
            "Those of a person, such as user.id=u42; also where redaction makes a token of it.",
            valueName: "attribute=value"))
    var subject: String?

    @Option(help: ArgumentHelp("Those that were made on days before this one, such as 20260131.", valueName: "day"))
    var before: String?

    @Flag(help: "Says that it is meant.")
    var yes = false

    func run() async throws {
        let configuration = try options.option.read().configuration
        let ring = try options.settings(in: configuration).makeKeyring()
        ring.readEncryptionKeys()
        if subject != nil, let problem = await ring.open(at: .now()) { throw problem }
        let selections = try selections(ring, configuration.processors)
        guard yes else { throw ValidationError("found no --yes: this is for ever") }
        // Noted first, so that nothing is destroyed that nobody knows of.
        try await KeysOptions.audit(ring, "destroy", description)
        let now = Timestamp.now()
        var count = 0
        for selection in selections {
            let (ids, backups) = try await ring.store.run { database throws(KeyError) in
                (try database.destroy(selection, at: now), try database.backups())
            }
            count += ids.count
            for path in backups { try destroy(selection, inBackup: path, at: now) }
        }
        try StoreOptions.write("\(count) data keys are destroyed\n")
    }

    private func destroy(_ selection: KeySelection, inBackup path: String, at now: Timestamp) throws {
        guard Directory.has(path) else {
            return StoreOptions.note("\(path): is not there any more; wherever it is, it still has the keys, wrapped")
        }
        let backup = SQLiteKeyDatabase(path)
        try backup.open(at: now)
        defer { backup.close() }
        StoreOptions.note(
            "\(path): \(try backup.destroy(selection, at: now).count) data keys are destroyed in it as well")
    }

    private func selections(_ ring: Keyring, _ processors: [ComponentDefinition]) throws -> [KeySelection] {
        switch (key, tenant, subject, before) {
        case (let key?, nil, nil, nil):
            guard let id = UInt64(key, radix: 16) else {
                throw ValidationError("found key \(key.quotedForMessage), wanted sixteen hexadecimal digits")
            }
            return [.id(id)]
        case (nil, let tenant?, let subject?, nil):
            let parts = subject.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("found subject \(subject.quotedForMessage), wanted one such as user.id=u42")
            }
            return try names(of: parts[1], tenant, processors).map { name in
                let tag = name.withUnsafeBytes { ring.tag(of: parts[0], $0, tenant: tenant) }
                guard let tag else { throw KeyError.unavailable("has no key by which subjects are looked up") }
                return .subject(tenant: tenant, tag: tag)
            }
        case (nil, let tenant?, nil, let before?):
            guard let day = Day(compact: before) else {
                throw ValidationError("found day \(before.quotedForMessage), wanted one such as 20260131")
            }
            return [.tenant(tenant, before: day)]
        default: throw ValidationError("wanted --key, or --tenant with --subject or --before")
        }
    }

    /// What spans may call the person: the name itself, and the tokens that the redaction processors make of it.
    private func names(
        of person: String, _ tenant: String, _ processors: [ComponentDefinition]
    ) throws -> [[UInt8]] {
        let value = Array(person.utf8)
        let tokens = try processors.compactMap { $0.configuration as? RedactionConfiguration }.map { settings in
            var maker = try settings.tokens().maker()
            let kind = KeyDecision.Reason.id.rawValue
            return value.withUnsafeBytes { maker.token(for: $0, kind: kind, tenant: tenant) }
        }
        return [value] + tokens
    }

    /// Without the name of the person.
    private var description: String {
        if let key { return "key \(key)" }
        let attribute = subject.map { String($0.prefix { $0 != "=" }) }
        return "tenant \(tenant ?? "")" + (attribute.map { ", a person by \($0)" } ?? ", before \(before ?? "")")
    }
}

import ArgumentParser

/// `weir keys destroy`
struct KeysDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "Destroys data keys for ever, in the store and the backups of it that are where they were made.",
        discussion: "What was encrypted under them cannot be read any more, by anybody, in any copy.")

    @OptionGroup var options: KeysOptions

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp("One data key.", valueName: "id"))
    var keys: [String] = []

    @Option(
        name: .customLong("tenant"),
        help: ArgumentHelp("Whose keys.", valueName: "name"))
    var tenants: [String] = []

    @Option(
        name: .customLong("subject"),
        help: ArgumentHelp(
            "Those of a person, such as user.id=u42, by whatever attribute spans say it; also where redaction makes a "
                + "token of it.",
            valueName: "attribute=value"))
    var subjects: [String] = []

    @Option(
        name: .customLong("before"),
        help: ArgumentHelp("Those that were made on days before this one, such as 20260131.", valueName: "day"))
    var days: [String] = []

    @Flag(help: "Says that it is meant.")
    var yes = false

    private var key: String? { keys.first }
    private var tenant: String? { tenants.first }
    private var subject: String? { subjects.first }
    private var before: String? { days.first }

    func validate() throws {
        for (option, values) in [("key", keys), ("tenant", tenants), ("subject", subjects), ("before", days)] {
            _ = try values.only(of: option)
        }
    }

    func run() async throws {
        let configuration = try options.option.readToWriteEverywhere()
        let ring = try options.settings(in: configuration).makeKeyring()
        ring.readEncryptionKeys()
        if subject != nil, let problem = await ring.open(at: .now()) { throw problem }
        let selections = try selections(ring, configuration)
        let register = try ErasureRegister(reading: configuration.service.erasure.directory)
        if let tenant = try await owner(ring), let hold = register.holds.first(where: { $0.tenant == tenant }) {
            throw CommandFailure("hold \(hold.id) is on the tenant: \(hold.reason ?? "")")
        }
        guard yes else { throw ValidationError("found no --yes: this is for ever") }
        // Noted first, so that nothing is destroyed that nobody knows of.
        try await KeysOptions.audit(ring, "destroy", description)
        let now = Timestamp.now()
        var count = 0
        var backups: [String: Int] = [:]
        var missing: Set<String> = []
        var failed: [String: KeyError] = [:]
        for selection in selections {
            let destroyed = try await SubjectKeys(ring: ring, register.backups).destroy(selection, at: now)
            count += destroyed.count
            missing.formUnion(destroyed.missingBackups)
            failed.merge(destroyed.failedBackups) { first, _ in first }
            for (path, count) in destroyed.backups { backups[path, default: 0] += count }
        }
        for path in missing.sorted() {
            StandardError.note("\(path): is not there any more; wherever it is, it still has the keys, wrapped")
        }
        for (path, count) in backups.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): \(count) data keys are destroyed in it as well")
        }
        try StandardOutput.write("\(count) data keys are destroyed\n")
        for (path, error) in failed.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): still has them, wrapped: \(error)")
        }
        if !failed.isEmpty { throw ExitCode.failure }
    }

    /// Whose keys are meant; nil where there is no such key.
    private func owner(_ ring: Keyring) async throws -> String? {
        guard let id = key.flatMap({ UInt64($0, radix: 16) }) else { return tenant }
        return try await ring.store.run { database throws(KeyError) in try database.keys([id]).first?.tenant }
    }

    private func selections(_ ring: Keyring, _ configuration: CollectorConfiguration) throws -> [KeySelection] {
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
            return try SubjectNames(of: parts[1], tenant: tenant, configuration)
                .tags(of: parts[0], tenant: tenant, in: ring).map { .subject(tenant: tenant, tag: $0) }
        case (nil, let tenant?, nil, let before?):
            guard let day = Day(compact: before) else {
                throw ValidationError("found day \(before.quotedForMessage), wanted one such as 20260131")
            }
            return [.tenant(tenant, before: day)]
        default: throw ValidationError("wanted --key, or --tenant with --subject or --before")
        }
    }

    /// Without the name of the person.
    private var description: String {
        if let key { return "key \(key)" }
        let attribute = subject.map { String($0.prefix { $0 != "=" }) }
        return "tenant \(tenant ?? "")" + (attribute.map { ", a person by \($0)" } ?? ", before \(before ?? "")")
    }
}

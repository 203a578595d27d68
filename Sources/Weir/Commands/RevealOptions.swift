import ArgumentParser

/// What of the rows of a query is decrypted.
struct RevealOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Attributes that are decrypted, audited first; * stands for any text. May be repeated.",
            valueName: "pattern"))
    var reveal: [String] = []

    @Option(help: ArgumentHelp("Why they are, for the audit.", valueName: "text"))
    var reason: String?

    @Option(help: ArgumentHelp("The extension that has their keys, where there are several.", valueName: "id"))
    var keystore: String?

    func validate() throws {
        guard reveal.isEmpty == (reason == nil) else { throw ValidationError("wanted --reveal with --reason") }
    }

    /// - Parameter subject: what was asked for.
    func open<Row: RevealableRow>(_ rows: [Row], of subject: String, _ options: QueryOptions) async throws -> [Row] {
        guard let reason else { return rows }
        let configuration = try options.store.option.read().configuration
        let ring = try KeysOptions.settings(keystore, in: configuration).makeKeyring()
        ring.readEncryptionKeys()
        if let problem = ring.problem { StandardError.note("\(problem)") }
        let reveal = AuditedReveal(
            ring: ring, fields: reveal.map { KeyPattern($0) }, tenant: options.tenant.name, actor: KeysOptions.actor,
            reason: reason,
            erased: try ErasedKeys(
                of: options.tenant.name, ErasureRegister(reading: configuration.service.erasure.directory)))
        let opened = try await reveal.open(rows, of: subject)
        if opened.unreadable > 0 { StandardError.note("\(opened.unreadable.of("value")) cannot be read") }
        return opened.rows
    }
}

import ArgumentParser

/// `weir archive conversation`
struct ArchiveConversationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conversation",
        abstract: "Prints a manifest of one conversation: which spans of which files are its, and their SHA-256.",
        discussion: """
            A line of JSON, of the spans that name the conversation and those of their traces that name no other. \
            Every file of the tenant, or of the hours that are asked for, is read that may have some. Exits 1 where \
            one could not be.
            """)

    @OptionGroup var options: ArchiveOptions

    @Argument(help: ArgumentHelp("Its id, as in gen_ai.conversation.id.", valueName: "id"))
    var id: String

    func validate() throws {
        guard options.tenant != nil, !id.isEmpty else { throw ValidationError("wanted --tenant and an id") }
    }

    func run() async throws {
        guard let tenant = options.tenant else { return }
        let configuration = options.option.checkAgain().configuration
        let names = try configuration.map { try SubjectNames(of: id, tenant: tenant, $0).all } ?? [Array(id.utf8)]
        let register = try configuration.map { try ErasureRegister(reading: $0.service.erasure.directory) }
        var left: [(path: String, reason: String)] = []
        try await options.withCatalog { catalog, copy in
            let now = Timestamp.now()
            let found = try await ArchiveConversation(
                id, of: tenant, names: names, in: catalog, register, at: now,
                fetch: { try await copy?.fetch($0) }, drop: { try copy?.drop($0) },
                again: { try await copy?.fetchAgain($0) })
            left = found.left
            try StandardOutput.write(found.text(at: now))
        }
        for (path, reason) in left { StandardError.note("\(path): is not looked into: \(reason)") }
        guard left.isEmpty else { throw ExitCode.failure }
    }
}

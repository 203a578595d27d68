import ArgumentParser

/// `weir archive replay`
struct ArchiveReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends the newest requests of an archive of OTLP to an exporter, such as one of a staging system.",
        discussion: """
            Past all processors, with journal and sequence as they were, without what was erased since; nobody is \
            erased meanwhile. Exits 1 where the destination did not take all, a file that may have some of them was \
            left out, or they are more than 512 MiB.
            """)

    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("How many spans, at least; requests are sent whole.", valueName: "spans"))
    var last: Int

    @Option(help: ArgumentHelp("The exporter that they are sent to.", valueName: "id"))
    var to: String

    @Option(help: ArgumentHelp("The archive, where there are several.", valueName: "id"))
    var exporter: String?

    @Option(help: ArgumentHelp("Only this tenant's.", valueName: "name"))
    var tenant: String?

    func validate() throws {
        guard (1...ArchiveReplay.maximumSpans).contains(last) else {
            throw ValidationError("found --last \(last), wanted 1 to \(ArchiveReplay.maximumSpans)")
        }
    }

    func run() async throws {
        let configuration = try option.readToWrite()
        guard let definition = configuration.exporters.first(where: { $0.id.description == to }) else {
            let known = configuration.exporters.map(\.id.description).joined(separator: ", ")
            throw ValidationError("found exporter \(to.quotedForMessage), wanted one of \(known)")
        }
        let archive = try ArchiveOptions.archive(exporter, in: configuration, of: option.file)
        let catalog = ArchiveCatalog(
            root: archive.directory, selection: ArchiveCatalog.Selection(tenant: tenant),
            keys: ArchiveKeys.make(archive.encryption, configuration.extensions)?.audited(
                "archive replay", by: KeysOptions.actor))
        // What is in memory here no erasure would find.
        guard let lock = try ErasureRegister(configuration.service.erasure.directory).lockPlaces() else {
            throw ErasureFailure("another process erases, restores or replays")
        }
        defer { withExtendedLifetime(lock) {} }
        // They know of all who asked before that.
        let exporters = try await LoneExporters(configuration)
        let made = try exporters.make(definition)
        let outcome = try await ArchiveReplay(catalog: catalog).run(
            last, to: Resending(to: made.exporter, made.delivery, made.context, view: made.view))
        await exporters.finish()
        try StandardOutput.write(
            "\(outcome.requests.of("request")): \(outcome.sentSpans.of("span")) sent, \(outcome.refusedSpans) refused, "
                + "\(outcome.unsentSpans) not sent\n")
        for (path, reason) in outcome.left.sorted(by: { $0.key < $1.key }) {
            StandardError.note("\(path): may have some of the newest, and is left out: \(reason)")
        }
        if outcome.isShort {
            let limit = ArchiveReplay.maximumSize >> 20
            StandardError.note("only the newest of them: all together are more than \(limit) MiB")
        }
        guard outcome.isComplete else { throw ExitCode.failure }
    }
}

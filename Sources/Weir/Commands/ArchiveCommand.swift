import ArgumentParser

/// `weir archive`
struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Looks into an archive: what it holds, whether it is whole, the spans themselves.",
        discussion:
            """
            May be used while Weir runs; restore, compact, replay and confirm-clock do more than read. docs/archive.md \
            has examples.
            """,
        subcommands: [
            ArchiveListCommand.self, ArchiveStatCommand.self, ArchiveVerifyCommand.self, ArchiveCatCommand.self,
            ArchiveFindCommand.self, ArchiveConversationCommand.self,
            ArchiveRestoreCommand.self, ArchiveCompactCommand.self,
            ArchiveReplayCommand.self, ArchiveConfirmClockCommand.self,
        ])
}

/// Which archive a command is about, and what of it.
struct ArchiveOptions: ParsableArguments {
    @OptionGroup var option: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "The archive, where no configuration says which; or s3://bucket/prefix of one that it has.",
            valueName: "path"))
    var directory: String?

    @Option(help: ArgumentHelp("The exporter that writes it, where there are several.", valueName: "id"))
    var exporter: String?

    @Option(help: ArgumentHelp("Only this tenant's files.", valueName: "name"))
    var tenant: String?

    @Option(
        help: ArgumentHelp(
            "Only hours that end after this time, such as 2026-02-03T04:05:06Z or 2026-02-03.", valueName: "time"),
        transform: TimeOption.read)
    var from: Timestamp?

    @Option(
        help: ArgumentHelp("Only hours that begin before this time.", valueName: "time"), transform: TimeOption.read)
    var to: Timestamp?

    func validate() throws {
        guard let from, let to, to <= from else { return }
        throw ValidationError("found --from \(from.text) and --to \(to.text), wanted an end after the beginning")
    }

    func catalog() throws -> ArchiveCatalog { try catalog(keys) }

    private func catalog(_ keys: ArchiveKeys?) throws -> ArchiveCatalog {
        guard BucketCopy.URL(directory) == nil else {
            throw ValidationError("found a bucket, wanted a directory")
        }
        return ArchiveCatalog(root: try root(), selection: selection, keys: keys)
    }

    /// Of files that are sealed; none where no configuration says who has them.
    var keys: ArchiveKeys? {
        option.checkAgain().configuration.flatMap { configuration in
            ArchiveKeys.make(try? archive(in: configuration).encryption, configuration.extensions)
        }
    }

    private var selection: ArchiveCatalog.Selection { ArchiveCatalog.Selection(tenant: tenant, from: from, to: to) }

    /// The same for who shows somebody what is in sealed files.
    /// - Parameter action: that stands in the audit.
    func keys(auditing action: String) -> ArchiveKeys? { keys?.audited(action, by: KeysOptions.actor) }

    /// The same for an archive that may be in a bucket: of that, `body` gets a copy, without the files.
    /// - Parameter action: that stands in the audit; nil where nobody is shown what is in sealed files.
    func withCatalog(
        auditing action: String? = nil, _ body: (ArchiveCatalog, BucketCopy?) async throws -> Void
    ) async throws {
        let keys = action.map { self.keys(auditing: $0) } ?? self.keys
        guard let url = BucketCopy.URL(directory) else { return try await body(try catalog(keys), nil) }
        let uploads = try option.read().configuration.exporters.compactMap { definition in
            (definition.configuration as? ExporterConfiguration<ArchiveExporter>).flatMap { archive in
                archive.own.upload?.storage
            }
        }.filter { $0.bucket == url.bucket }
        guard var storage = uploads.first(where: { $0.prefix == url.prefix }) ?? uploads.first else {
            throw CommandFailure(
                "found no archive in \(option.file) with the bucket \(url.bucket), wanted one: it says how to get there"
            )
        }
        storage.prefix = url.prefix
        // Where nobody reads on, the copy is removed too.
        Signals.ignoreBrokenPipes()
        let copy = try BucketCopy(of: ObjectStorage(storage), selection, keys)
        defer { copy.remove() }
        try await copy.fetchManifests()
        try await body(copy.catalog, copy)
    }

    private func root() throws -> String {
        if let directory { return directory }
        return try archive(in: option.read().configuration).directory
    }

    /// The archive that the options name.
    func archive(in configuration: CollectorConfiguration) throws -> ArchiveConfiguration {
        try Self.archive(exporter, in: configuration, of: option.file)
    }

    /// - Parameter exporter: that writes it, where there are several.
    static func archive(
        _ exporter: String?, in configuration: CollectorConfiguration, of file: String
    ) throws -> ArchiveConfiguration {
        let archives = configuration.exporters.compactMap { definition in
            (definition.configuration as? ExporterConfiguration<ArchiveExporter>).map {
                (id: definition.id.description, configuration: $0.own)
            }
        }
        let known = archives.map(\.id).joined(separator: ", ")
        if let exporter {
            guard let found = archives.first(where: { $0.id == exporter }) else {
                let wanted = archives.isEmpty ? "an archive" : "one of \(known)"
                throw ValidationError("found exporter \(exporter.quotedForMessage), wanted \(wanted)")
            }
            return found.configuration
        }
        guard let first = archives.first else {
            throw CommandFailure("found no archive in \(file), wanted one, or --directory")
        }
        guard Set(archives.map(\.configuration.directory)).count == 1 else {
            throw CommandFailure("found several archives, wanted --exporter with one of \(known)")
        }
        return first.configuration
    }
}

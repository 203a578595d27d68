import ArgumentParser

/// `weir archive`
struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Looks into an archive: what it holds, whether it is whole, the spans themselves.",
        discussion:
            "May be used while Weir runs; restore, compact and replay do more than read. docs/archive.md has examples.",
        subcommands: [
            ArchiveListCommand.self, ArchiveStatCommand.self, ArchiveVerifyCommand.self, ArchiveCatCommand.self,
            ArchiveRestoreCommand.self, ArchiveCompactCommand.self,
            ArchiveReplayCommand.self,
        ])
}

/// Which archive a command is about, and what of it.
struct ArchiveOptions: ParsableArguments {
    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("The archive, where no configuration says which.", valueName: "path"))
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

    func catalog() throws -> ArchiveCatalog {
        ArchiveCatalog(
            root: try root(), selection: ArchiveCatalog.Selection(tenant: tenant, from: from, to: to))
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
            throw ValidationError("found no archive in \(file), wanted one, or --directory")
        }
        guard Set(archives.map(\.configuration.directory)).count == 1 else {
            throw ValidationError("found several archives, wanted --exporter with one of \(known)")
        }
        return first.configuration
    }
}

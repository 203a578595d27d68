import ArgumentParser
import Foundation

/// Which hot tables a command is about.
struct StoreOptions: ParsableArguments {
    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("The exporter that writes the tables, where there are several.", valueName: "id"))
    var exporter: String?

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json
    }

    @Option(help: ArgumentHelp("A table to read, or JSON, an object a line.", valueName: "table|json"))
    var format = Format.table

    func place() throws -> HotTables {
        try Self.place(exporter, in: option.read().configuration, of: option.file)
    }

    /// The same, where there are tables: those in Postgres say themselves that there are none.
    func tables() throws -> HotTables {
        let place = try place()
        if case .sqlite(let directory) = place, try !Directory.isThere(directory.path) {
            throw CommandFailure(
                "found no tables in \(directory.path), wanted those that `weir store migrate` or the exporter makes")
        }
        return place
    }

    /// Days that are kept though their time is over, and why.
    func kept(_ days: [Day], at now: Timestamp) throws -> [Day: String] {
        let configuration = try option.read().configuration
        let (definition, _) = try Self.chosen(exporter, in: configuration, of: option.file)
        guard let (duration, _) = HotTables.retention(of: definition) else { return [:] }
        let keepers = try ErasureRegister(reading: configuration.service.erasure.directory).keepers
        let agreement = ArchiveAgreement(configuration, exporter: definition.id)
        var kept: [Day: String] = [:]
        for day in Retention(duration).expired(days, at: now) {
            if let keeper = keepers.first(where: { $0.keeps(day, at: now) }) {
                kept[day] = keeper.kind == .hold ? "held by \(keeper.id)" : "restored"
            } else if let verdict = try agreement?.verdict(on: day, isVerified: false), verdict.reason != nil {
                kept[day] = verdict.text
            }
        }
        return kept
    }

    /// What the exporter has yet to store, of each journal of this machine that it reads. One that cannot be read is
    /// left out, with a note.
    func backlogs() throws -> [JournalID: Backlog] {
        let configuration = try option.read().configuration
        let id = try Self.chosen(exporter, in: configuration, of: option.file).definition.id
        var backlogs: [JournalID: Backlog] = [:]
        for (pipeline, path) in Self.journals(of: id, in: configuration) {
            do throws(DiskError) {
                let journal = try JournalRecovery(JournalDirectory(reading: path), isReadOnly: true)
                backlogs[journal.journal] = journal.backlog(of: id.fileName)
            } catch {
                StandardError.note("what is behind of the journal of \(pipeline) is not known: \(error)")
            }
        }
        return backlogs
    }

    /// How far the exporter is in each journal of this machine that it reads.
    /// - Parameter exporter: that writes the tables, where there are several.
    static func cursors(
        of exporter: String?, in configuration: CollectorConfiguration, of file: String
    ) throws -> [JournalID: Cursor] {
        let id = try chosen(exporter, in: configuration, of: file).definition.id
        var cursors: [JournalID: Cursor] = [:]
        for (_, path) in journals(of: id, in: configuration) {
            let journal = try JournalRecovery(JournalDirectory(reading: path), isReadOnly: true)
            cursors[journal.journal] = journal.cursors[id.fileName]
        }
        return cursors
    }

    private static func journals(
        of exporter: ComponentID, in configuration: CollectorConfiguration
    ) -> [(pipeline: ComponentID, path: String)] {
        configuration.service.pipelines.filter { $0.exporters.contains(exporter) }.flatMap { pipeline in
            let directory = configuration.service.journal.directory(of: pipeline.id)
            return [directory, "\(directory)/\(StageCourse.directory)"].map { (pipeline: pipeline.id, path: $0) }
        }.filter { Directory.has("\($0.path)/\(JournalRecovery.identityName)") }
    }

    /// - Parameter exporter: that writes the tables, where there are several.
    static func place(
        _ exporter: String?, in configuration: CollectorConfiguration, of file: String
    ) throws -> HotTables {
        try chosen(exporter, in: configuration, of: file).place
    }

    private static func chosen(
        _ exporter: String?, in configuration: CollectorConfiguration, of file: String
    ) throws -> (definition: ComponentDefinition, place: HotTables) {
        let places = configuration.exporters.compactMap { definition in
            HotTables(definition).map { (definition: definition, place: $0) }
        }
        let known = places.map(\.definition.id.description).joined(separator: ", ")
        if let exporter {
            guard let found = places.first(where: { $0.definition.id.description == exporter }) else {
                let wanted = places.isEmpty ? "one with hot tables, postgres or sqlite" : "one of \(known)"
                throw ValidationError("found exporter \(exporter.quotedForMessage), wanted \(wanted)")
            }
            return found
        }
        guard let first = places.first else {
            throw CommandFailure("found no exporter with hot tables in \(file), wanted postgres or sqlite")
        }
        guard places.count == 1 else {
            throw CommandFailure("found several exporters with hot tables, wanted --exporter with one of \(known)")
        }
        return first
    }

    func reader(_ limit: TimeLimit) throws -> any StoreReader {
        try tables().reader(limit)
    }
}

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

    /// Days that are kept though their time is over, and why.
    func kept(_ days: [Day], at now: Timestamp) throws -> [Day: String] {
        let configuration = try option.read().configuration
        let tables = configuration.exporters.filter { HotTables($0) != nil }
        guard let definition = tables.first(where: { exporter == nil || $0.id.description == exporter }),
            let (duration, _) = HotTables.retention(of: definition)
        else { return [:] }
        let keepers = try ErasureRegister(configuration.service.erasure.directory).keepers
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

    /// - Parameter exporter: that writes the tables, where there are several.
    static func place(
        _ exporter: String?, in configuration: CollectorConfiguration, of file: String
    ) throws -> HotTables {
        let places = configuration.exporters.compactMap { definition in
            HotTables(definition).map { (id: definition.id.description, place: $0) }
        }
        let known = places.map(\.id).joined(separator: ", ")
        if let exporter {
            guard let found = places.first(where: { $0.id == exporter }) else {
                let wanted = places.isEmpty ? "one with hot tables, postgres or sqlite" : "one of \(known)"
                throw ValidationError("found exporter \(exporter.quotedForMessage), wanted \(wanted)")
            }
            return found.place
        }
        guard let first = places.first else {
            throw ValidationError("found no exporter with hot tables in \(file), wanted postgres or sqlite")
        }
        guard places.count == 1 else {
            throw ValidationError("found several exporters with hot tables, wanted --exporter with one of \(known)")
        }
        return first.place
    }

    func reader(_ limit: TimeLimit) throws -> any StoreReader {
        try place().reader(limit)
    }

    /// On the standard error stream, so that the output stays what it is.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    static func write(_ text: String) throws {
        try StandardOutput.write(Array(text.utf8))
    }
}

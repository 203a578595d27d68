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

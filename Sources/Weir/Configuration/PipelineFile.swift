import Foundation

/// One file of `service.pipelines_directory`: processors, exporters and pipelines that one team owns. Its names are its
/// own: `filter/health` in `shop.yaml` is `filter/health@shop` to everybody else.
struct PipelineFile: Sendable {
    static let maximumFiles = 1_000

    /// The file's name without its ending.
    let name: String
    /// Who is to be asked about it.
    let owner: String
    let processors: [ComponentDefinition]
    let exporters: [ComponentDefinition]
    let pipelines: [PipelineConfiguration]

    /// - Parameter shared: what `collector.yaml` defines, for all files.
    init(_ name: String, _ fields: inout Fields, shared: [Definitions], _ catalogue: Catalogue) {
        self.name = name
        owner = fields.string("owner", "Who is to be asked about the file: a team, an address.")
        let overrides = fields.parsedList(
            "overrides", count: 0...CollectorConfiguration.maximumComponents,
            "Ids of collector.yaml that this file defines anew, for its own pipelines.",
            ComponentID.init(parsing:))
        let read = shared.map { shared in
            shared.kind == .receiver
                ? shared
                : Definitions(
                    shared.kind, "Of this file.", &fields, catalogue,
                    of: Definitions.Owner(file: name, overrides: overrides, shared: [shared]))
        }
        pipelines = fields.named(
            "pipelines", count: 1...ServiceConfiguration.maximumPipelines,
            "Which components spans pass, by pipeline: traces or traces/name."
        ) { id, fields in
            PipelineConfiguration(id, &fields, defined: read, file: name)
        }
        for definitions in read where definitions.kind != .receiver {
            definitions.warnOfUnused(in: pipelines, &fields)
        }
        processors = read.first { $0.kind == .processor }?.components ?? []
        exporters = read.first { $0.kind == .exporter }?.components ?? []
    }

    /// The files of a directory that hold pipelines, by name. Hidden files and other endings are left out.
    static func names(in directory: String) throws(ConfigError) -> [(name: String, path: String)] {
        let all: [String]
        do { all = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            let isThere = FileManager.default.fileExists(atPath: directory)
            throw ConfigError(
                "\(directory) \(isThere ? "cannot be read" : "is not there"), wanted a directory of pipelines")
        }
        let files = all.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }.sorted()
        guard files.count <= maximumFiles else {
            throw ConfigError("found \(files.count) files in \(directory), wanted at most \(maximumFiles)")
        }
        return files.map { file in
            (String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)]), "\(directory)/\(file)")
        }
    }

    /// The name becomes part of ids, and so of directories.
    static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "_-".utf8.contains(byte)
                }
            }
    }
}

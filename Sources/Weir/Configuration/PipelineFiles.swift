/// The files of `service.pipelines_directory`, as far as they could be read.
struct PipelineFiles: Sendable {
    private(set) var files: [PipelineFile] = []
    /// What there is to say about them, each with its file.
    private(set) var diagnostics: Diagnostics
    /// Names of those that are in error.
    private(set) var broken: [String] = []
    /// What they would have.
    private(set) var missing: [MissingPipeline] = []
    /// Extensions that their components name.
    private(set) var references: [ExtensionReference] = []
    /// The directory, its files, and those that they name.
    private(set) var sources = ConfigSources()
    private(set) var tlsFiles: [TLSFiles] = []
    private let isJournalEncrypted: Bool
    private var claims: PipelineClaims

    init(
        _ directory: String?, besides hasPipelines: Bool, _ fields: inout Fields, shared: [Definitions],
        extensions: Definitions, isJournalEncrypted: Bool, _ claims: PipelineClaims,
        _ environment: [String: String], _ catalogue: Catalogue
    ) {
        self.isJournalEncrypted = isJournalEncrypted
        self.claims = claims
        diagnostics = Diagnostics(file: "")
        guard let directory, fields.mode == .reading else { return }
        let line = fields.node("service")?.line(of: "pipelines_directory") ?? fields.line
        let found: [(name: String, path: String)]
        sources.note(directory)
        do throws(ConfigError) { found = try PipelineFile.names(in: directory) } catch {
            fields.record(line: line, path: "service.pipelines_directory", error.message)
            return
        }
        if found.isEmpty, !hasPipelines {
            // As where a directory was not mounted: a Weir that takes nothing would be taken for one that works.
            fields.record(
                line: line, path: "service.pipelines_directory",
                "found no file that ends in .yaml in \(directory) and no pipeline beside it, wanted a pipeline")
        }
        sources.note(directory, ConfigSources.digest(ofNames: found))
        var names: Set<String> = []
        for (name, path) in found {
            read(name, path, isFirst: names.insert(name).inserted, shared, extensions, environment, catalogue)
        }
    }

    private mutating func read(
        _ name: String, _ path: String, isFirst: Bool, _ shared: [Definitions], _ extensions: Definitions,
        _ environment: [String: String], _ catalogue: Catalogue
    ) {
        var top = Fields([], file: path)
        if !PipelineFile.isName(name) {
            top.reject("", "found the file name \(name.quotedForMessage), wanted 1...64 letters, digits, _ and -")
        }
        if !isFirst { top.reject("", "found a second file of this name, wanted one of .yaml and .yml") }
        var reader = YAMLReader(file: path, environment: environment)
        var pipelines: [PipelineConfiguration] = []
        // What a file in error names is taken by nobody.
        var claims = claims
        sources.note(path)
        do throws(ConfigError) {
            let text = try ConfigFile.text(of: path)
            sources.note(path, text.hashValue)
            if let root = reader.read(text) {
                let file = top.descend(into: root, path: "") { fields in
                    PipelineFile(name, &fields, shared: shared, catalogue)
                }.value
                extensions.check(top.references, &top, catalogue)
                for pipeline in file.pipelines {
                    top.noteUnknown(
                        pipeline.tenants ?? [], besides: extensions.clientTenants, line: pipeline.line,
                        path: "service.pipelines.\(pipeline.id).tenants")
                    pipeline.checkOrder(
                        of: shared.flatMap(\.components) + file.processors + file.exporters,
                        isJournalEncrypted: isJournalEncrypted, &top)
                    pipeline.checkDirectories(of: shared.flatMap(\.components) + file.exporters, &top)
                    claims.add(
                        pipeline, of: shared.flatMap(\.components) + file.processors + file.exporters, &top)
                }
                files.append(file)
                pipelines = file.pipelines
            }
        } catch {
            top.reject("", error.message)
        }
        references += top.references
        sources.add(top.sources)
        tlsFiles += top.tlsFiles
        var own = reader.diagnostics
        own.add(top.diagnostics)
        diagnostics.add(own)
        guard own.hasErrors else {
            self.claims = claims
            return
        }
        // Two files of one name are both in error.
        missing += files.filter { $0.name == name }.flatMap(\.pipelines).map { $0.missing(of: name) }
        if pipelines.isEmpty || reader.diagnostics.hasErrors {
            missing.append(MissingPipeline(file: name, receivers: nil, tenants: .uncertain([])))
        }
        files.removeAll { $0.name == name }
        broken.append(name)
    }
}

/// The outcome of reading a configuration file.
struct CheckedConfiguration: Sendable {
    /// Nil where `diagnostics` hold an error.
    let configuration: CollectorConfiguration?
    /// The same without the files of pipelines that are in error; nil where something else is.
    let partial: CollectorConfiguration?
    let diagnostics: Diagnostics
    /// Every key with the value that it has.
    let fields: [FieldDescription]
    /// The files that were read.
    let sources: ConfigSources
    let tlsFiles: [TLSFiles]

    /// What Weir starts with: all, or what is left without the files of pipelines that are in error. Nil where that is
    /// no pipeline.
    var startable: CollectorConfiguration? {
        configuration ?? partial.flatMap { $0.service.pipelines.isEmpty ? nil : $0 }
    }

    init(file: String, environment: [String: String], catalogue: Catalogue) {
        do {
            let text = try ConfigFile.text(of: file, orPipe: true)
            self.init(text, file: file, environment: environment, catalogue: catalogue)
        } catch {
            var diagnostics = Diagnostics(file: file)
            diagnostics.add(.error, line: nil, path: "", error.message)
            var sources = ConfigSources()
            sources.note(file)
            self.init(configuration: nil, partial: nil, diagnostics: diagnostics, fields: [], sources: sources)
        }
    }

    init(_ text: String, file: String, environment: [String: String], catalogue: Catalogue) {
        var sources = ConfigSources()
        sources.note(file, text.hashValue)
        var reader = YAMLReader(file: file, environment: environment)
        guard let root = reader.read(text) else {
            self.init(
                configuration: nil, partial: nil, diagnostics: reader.diagnostics, fields: [], sources: sources)
            return
        }
        var top = Fields([], file: file)
        let (configuration, fields) = top.descend(into: root, path: "") { fields in
            CollectorConfiguration(&fields, environment: environment, catalogue: catalogue)
        }
        var diagnostics = reader.diagnostics
        diagnostics.add(top.diagnostics)
        let partial = diagnostics.hasErrors ? nil : configuration
        diagnostics.add(configuration.files.diagnostics)
        sources.add(top.sources)
        sources.add(configuration.files.sources)
        self.init(
            configuration: diagnostics.hasErrors ? nil : configuration, partial: partial, diagnostics: diagnostics,
            fields: fields, sources: sources, tlsFiles: top.tlsFiles + configuration.files.tlsFiles)
    }

    private init(
        configuration: CollectorConfiguration?, partial: CollectorConfiguration?, diagnostics: Diagnostics,
        fields: [FieldDescription], sources: ConfigSources, tlsFiles: [TLSFiles] = []
    ) {
        self.configuration = configuration
        self.partial = partial
        self.diagnostics = diagnostics
        self.fields = fields
        self.sources = sources
        self.tlsFiles = tlsFiles
    }
}

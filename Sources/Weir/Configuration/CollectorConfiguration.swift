/// What a configuration file without errors says.
struct CollectorConfiguration: Sendable {
    let receivers: [ComponentDefinition]
    private(set) var processors: [ComponentDefinition]
    private(set) var exporters: [ComponentDefinition]
    private(set) var extensions: [ComponentDefinition]
    private(set) var service: ServiceConfiguration
    /// Of `service.pipelines_directory`. What they define is among the components and pipelines above.
    private(set) var files: PipelineFiles
    /// What files of pipelines that are in error would have.
    private(set) var missing: [MissingPipeline]
}

extension CollectorConfiguration {
    /// Components of one kind that a file may define.
    static let maximumComponents = 1_000

    /// Holds only what could be read; `fields` say what could not.
    init(_ fields: inout Fields, environment: [String: String] = [:], catalogue: Catalogue) {
        let hasFiles = fields.node("service")?.line(of: "pipelines_directory") != nil
        let receivers = Definitions(
            .receiver, "Where spans come in, by component id.", &fields, catalogue, least: 1)
        let processors = Definitions(
            .processor, "What changes spans on their way, by component id.", &fields, catalogue)
        let exporters = Definitions(
            .exporter, "Where spans go, by component id.", &fields, catalogue, least: hasFiles ? 0 : 1)
        let extensions = Definitions(
            .extension, "What components share, by component id: they name the id.", &fields, catalogue)
        let service = fields.section("service", "Which components work together, and how Weir shows what it does.") {
            ServiceConfiguration(&$0, defined: [receivers, processors, exporters])
        }
        let isEncrypted = service.journal.limits.encryption != nil
        var claims = PipelineClaims(journal: service.journal.directory)
        for pipeline in service.pipelines {
            claims.add(pipeline, of: processors.components + exporters.components, &fields)
        }
        claims.reserveTables(of: exporters.components)
        let files = PipelineFiles(
            service.pipelinesDirectory, besides: !service.pipelines.isEmpty, &fields,
            shared: [receivers, processors, exporters], extensions: extensions, isJournalEncrypted: isEncrypted,
            claims, environment, catalogue)
        let pipelines = service.pipelines + files.files.flatMap(\.pipelines)
        // What a file uses that is in error is not known.
        if files.broken.isEmpty {
            for definitions in [receivers, processors, exporters] {
                definitions.warnOfUnused(in: pipelines, &fields)
            }
        }
        fields.checkListeners(receivers: pipelines.flatMap(\.receivers))
        extensions.check(fields.references, &fields, catalogue)
        extensions.warnOfUnused(by: fields.references + files.references, &fields, catalogue)
        for definitions in [receivers, processors, exporters] {
            definitions.noteTenants(besides: extensions.clientTenants, &fields)
        }
        for pipeline in service.pipelines {
            fields.noteUnknown(
                pipeline.tenants ?? [], besides: extensions.clientTenants, line: pipeline.line,
                path: "service.pipelines.\(pipeline.id).tenants")
            pipeline.checkOrder(
                of: processors.components + exporters.components, isJournalEncrypted: isEncrypted, &fields)
            pipeline.checkDirectories(of: exporters.components, &fields)
        }
        self.receivers = receivers.components
        self.processors = processors.components + files.files.flatMap(\.processors)
        self.exporters = exporters.components + files.files.flatMap(\.exporters)
        self.extensions = extensions.components
        self.service = service
        self.service.pipelines = pipelines
        self.files = files
        missing = files.missing
    }

    func with(
        processors: [ComponentDefinition], extensions: [ComponentDefinition]
    ) -> CollectorConfiguration {
        var changed = self
        (changed.processors, changed.extensions) = (processors, extensions)
        return changed
    }

    /// The same, where files that are in error say what they said in `other`: what was missing there is missing yet,
    /// and one that is new changes nothing.
    func keeping(_ other: CollectorConfiguration) -> CollectorConfiguration {
        var kept = self
        kept.processors += other.processors.filter { isKept($0.id) }
        kept.exporters += other.exporters.filter { isKept($0.id) }
        kept.service.pipelines += other.service.pipelines.filter { isKept($0.id) }
        kept.missing = other.missing.filter { files.broken.contains($0.file) }
        return kept
    }

    /// Why that cannot be: a pipeline that would be kept names a component of `collector.yaml` that says something else
    /// than in `other`, and nobody has looked at the two together. Redaction may have left to an encryption processor
    /// what it had masked before. Or it has an exporter whose rows another would remove.
    func conflicts(keeping other: CollectorConfiguration) -> [String] {
        other.service.pipelines.filter { isKept($0.id) }.flatMap { pipeline -> [String] in
            let changed =
                pipeline.processors.filter { isOther($0, processors, than: other.processors) }
                + pipeline.exporters.filter { isOther($0, exporters, than: other.exporters) }
            let problems = changed.map { "found \($0) changed, wanted the pipeline's file to be right first" }
            let own = other.exporters.filter { pipeline.exporters.contains($0.id) }
            let quarrels = own.flatMap { exporter in
                exporters.compactMap { PipelineClaims.quarrel($0, exporter) }
            }
            return (problems + quarrels).map { "service.pipelines.\(pipeline.id): \($0)" }
        }
    }

    private func isKept(_ id: ComponentID) -> Bool { id.file.map { files.broken.contains(String($0)) } ?? false }

    private func isOther(
        _ id: ComponentID, _ definitions: [ComponentDefinition], than others: [ComponentDefinition]
    ) -> Bool {
        id.file == nil
            && definitions.first { $0.id == id }?.fingerprint != others.first { $0.id == id }?.fingerprint
    }
}

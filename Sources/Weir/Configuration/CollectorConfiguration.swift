/// What a configuration file without errors says.
struct CollectorConfiguration: Sendable {
    let receivers: [ComponentDefinition]
    let processors: [ComponentDefinition]
    let exporters: [ComponentDefinition]
    let extensions: [ComponentDefinition]
    let service: ServiceConfiguration
}

extension CollectorConfiguration {
    /// Components of one kind that a file may define.
    static let maximumComponents = 1_000

    /// Holds only what could be read; `fields` say what could not.
    init(_ fields: inout Fields, catalogue: Catalogue) {
        let receivers = Definitions(.receiver, "Where spans come in, by component id.", &fields, catalogue)
        let processors = Definitions(
            .processor, "What changes spans on their way, by component id.", &fields, catalogue)
        let exporters = Definitions(.exporter, "Where spans go, by component id.", &fields, catalogue)
        let extensions = Definitions(
            .extension, "What components share, by component id: they name the id.", &fields, catalogue)
        let service = fields.section("service", "Which components work together, and how Weir shows what it does.") {
            ServiceConfiguration(&$0, defined: [receivers, processors, exporters])
        }
        for definitions in [receivers, processors, exporters] {
            definitions.warnOfUnused(in: service.pipelines, &fields)
        }
        extensions.check(fields.references, &fields, catalogue)
        let isEncrypted = service.journal.limits.encryption != nil
        for pipeline in service.pipelines {
            pipeline.checkOrder(of: processors.components, isJournalEncrypted: isEncrypted, &fields)
        }
        self.receivers = receivers.components
        self.processors = processors.components
        self.exporters = exporters.components
        self.extensions = extensions.components
        self.service = service
    }
}

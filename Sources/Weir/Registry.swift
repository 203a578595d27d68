/// The components that there are. A new one is one line here.
enum Registry {
    static let receivers: [any Receiver.Type] = [
        BeaconReceiver.self,
        OTLPReceiver.self,
    ]
    static let processors: [any Processor.Type] = [
        AttributesProcessor.self,
        BatchProcessor.self,
        CostProcessor.self,
        EncryptionProcessor.self,
        FilterProcessor.self,
        MemoryLimiterProcessor.self,
        ProbabilisticSamplerProcessor.self,
        RedactionProcessor.self,
        ResourceProcessor.self,
        SamplingProcessor.self,
    ]
    /// Processors that need more than one request.
    static let stages: [any Stage.Type] = [
        TailSamplingStage.self
    ]
    static let exporters: [any Exporter.Type] = [
        ArchiveExporter.self,
        DebugExporter.self,
        LangSmithExporter.self,
        OTLPHTTPExporter.self,
        PostgresExporter.self,
        SQLiteExporter.self,
    ]

    static let extensions: [any Extension.Type] = [
        APIKeysExtension.self,
        JWTExtension.self,
        KeystoreExtension.self,
    ]

    /// The same, as far as the configuration needs to know it.
    static let catalogue = Catalogue(
        types: receivers.map { describe($0, .receiver) } + processors.map { describe($0, .processor) }
            + stages.map { describe($0, .processor) } + exporters.map { describeExporter($0) }
            + extensions.map { describeExtension($0) })

    static func describe<C: Component>(_ type: C.Type, _ kind: ComponentKind) -> ComponentType {
        ComponentType(kind: kind, type: C.type, help: C.help, note: C.note, configuration: C.Configuration.self)
    }

    /// Builds the receiver that `definition` describes.
    static func receiver(_ definition: ComponentDefinition, _ context: Context) throws -> any Receiver {
        guard let type = receivers.first(where: { $0.type == definition.id.type }) else { throw unknown(definition) }
        return try build(type, definition, context)
    }

    /// Builds the processor that `definition` describes.
    static func processor(_ definition: ComponentDefinition, _ context: Context) throws -> any Processor {
        guard let type = processors.first(where: { $0.type == definition.id.type }) else { throw unknown(definition) }
        return try build(type, definition, context)
    }

    /// Builds the stage that `definition` describes.
    static func stage(_ definition: ComponentDefinition, _ context: Context) throws -> any Stage {
        guard let type = stages.first(where: { $0.type == definition.id.type }) else { throw unknown(definition) }
        return try build(type, definition, context)
    }

    /// Builds the exporter that `definition` describes, and says how it is to be delivered to.
    static func exporter(
        _ definition: ComponentDefinition, _ context: Context
    ) throws -> (exporter: any Exporter, delivery: DeliveryConfiguration) {
        guard let type = exporters.first(where: { $0.type == definition.id.type || $0.alias == definition.id.type })
        else { throw unknown(definition) }
        return try buildExporter(type, definition, context)
    }

    /// Builds the extension that `definition` describes.
    static func `extension`(_ definition: ComponentDefinition, _ context: Context) throws -> any Extension {
        guard let type = extensions.first(where: { $0.type == definition.id.type }) else { throw unknown(definition) }
        return try build(type, definition, context)
    }

    static func build<C: Component>(
        _ type: C.Type, _ definition: ComponentDefinition, _ context: Context
    ) throws -> C {
        guard let configuration = definition.configuration as? C.Configuration else { throw unknown(definition) }
        return try C(configuration, context)
    }

    private static func describeExporter<C: Exporter>(_ type: C.Type) -> ComponentType {
        ComponentType(
            kind: .exporter, type: C.type, alias: C.alias, help: C.help, note: C.note,
            configuration: ExporterConfiguration<C>.self)
    }

    private static func describeExtension<C: Extension>(_ type: C.Type) -> ComponentType {
        var description = describe(type, .extension)
        description.role = type.role
        return description
    }

    private static func buildExporter<C: Exporter>(
        _ type: C.Type, _ definition: ComponentDefinition, _ context: Context
    ) throws -> (any Exporter, DeliveryConfiguration) {
        guard let configuration = definition.configuration as? ExporterConfiguration<C> else {
            throw unknown(definition)
        }
        var context = context
        context.consumers = configuration.delivery.queue.consumers
        if !configuration.delivery.reveal.isEmpty { context.hidesAnswers = true }
        return (try C(configuration.own, context), configuration.delivery)
    }

    private static func unknown(_ definition: ComponentDefinition) -> ConfigError {
        ConfigError(found: "\(definition.id), read with another catalogue", wanted: "one read with this registry's")
    }
}

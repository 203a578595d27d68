import Logging

/// Exporters that run alone, beside a Weir that may run, with the extensions that they need.
final class LoneExporters {
    struct Made {
        let exporter: any Exporter
        let delivery: DeliveryConfiguration
        let context: Context
        let view: ErasureView
    }

    let codec: (any RecordCodec)?
    private let extensions: Extensions
    private let tombstones: Tombstones
    private let sink: LogSink
    private let logger: Logger

    init(_ configuration: CollectorConfiguration) async throws {
        let telemetry = configuration.service.telemetry
        let sink = LogSink(telemetry.logEncoding)
        self.sink = sink
        let logger = Logger(label: "weir") { label in
            LineLogHandler(label: label, level: telemetry.logLevel.loggerLevel, sink: sink)
        }
        var extensions = Extensions()
        for definition in configuration.extensions {
            let context = Context(id: definition.id, logger: logger, metrics: MetricRegistry())
            extensions.add(definition, try Registry.extension(definition, context))
        }
        for `extension` in extensions.all { try await `extension`.start() }
        codec = try KeystoreCodec.make(configuration, extensions, logger)
        tombstones = Tombstones(configuration.service.erasure.directory, serves: false)
        try await tombstones.refresh()
        (self.extensions, self.logger) = (extensions, logger)
    }

    /// - Parameter pipeline: whose spans it gets, for the log.
    func make(_ definition: ComponentDefinition, for pipeline: ComponentID? = nil) throws -> Made {
        var logger = logger
        logger[metadataKey: "component"] = "\(definition.id)"
        if let pipeline { logger[metadataKey: "pipeline"] = "\(pipeline)" }
        let context = Context(id: definition.id, logger: logger, metrics: MetricRegistry(), extensions: extensions)
        let (exporter, delivery) = try Registry.exporter(definition, context)
        let view = ErasureView(
            tombstones, ErasureTelemetry(context.metrics), then: try KeystoreView.make(delivery, context))
        return Made(exporter: exporter, delivery: delivery, context: context, view: view)
    }

    func finish() async {
        for `extension` in extensions.all { await `extension`.finish() }
    }

    deinit { sink.finish() }
}

import Logging

/// Builds what the configuration describes, serves, and drains.
struct Service: Sendable {
    /// Weir could not start or could not go on. The log says why.
    struct Failed: Error {}

    private struct Route: Sendable {
        let id: ComponentID
        let receiver: any Receiver
        let pipelines: [Pipeline]
    }

    private let routes: [Route]
    private let pipelines: [Pipeline]
    private let deliveries: [Delivery]
    private let telemetry: TelemetryServer?
    private let health: Health
    private let logger: Logger
    private let shutdownTimeout: Duration

    /// Runs until SIGTERM, then stops accepting, finishes what is in flight, delivers what is left and returns.
    /// - Parameter files: the configuration files, for the line that says what was started.
    static func run(_ configuration: CollectorConfiguration, files: [String]) async throws {
        Heap.configure()
        Signals.ignoreBrokenPipes()
        let settings = configuration.service.telemetry
        let sink = LogSink(settings.logEncoding)
        let logger = Logger(label: "weir") { label in
            LineLogHandler(label: label, level: settings.logLevel.loggerLevel, sink: sink)
        }
        let ticks = Task {
            while (try? await Task.sleep(for: .seconds(1))) != nil { sink.endTick() }
        }
        defer {
            ticks.cancel()
            sink.finish()
        }
        do {
            let metrics = MetricRegistry()
            ProcessMetrics.register(in: metrics)
            logger.info(
                "starting",
                metadata: [
                    "version": "\(Program.version)", "config": "\(files.joined(separator: ","))",
                    "pipelines": "\(configuration.service.pipelines.map(\.id.description).joined(separator: ","))",
                ])
            let service = try Service(configuration, logger: logger, metrics: metrics)
            try await service.run()
            logger.info("stopped")
        } catch {
            logger.critical("cannot run", metadata: ["error": "\(error)"])
            throw Failed()
        }
    }

    private init(_ configuration: CollectorConfiguration, logger: Logger, metrics: MetricRegistry) throws {
        let build = Builder(configuration, logger, metrics)
        var pipelines: [Pipeline] = []
        var deliveries: [Delivery] = []
        for settings in configuration.service.pipelines {
            let (pipeline, own) = try build.pipeline(settings)
            pipelines.append(pipeline)
            deliveries += own
        }
        routes = try configuration.receivers.compactMap { definition in
            let fed = zip(configuration.service.pipelines, pipelines)
                .filter { $0.0.receivers.contains(definition.id) }.map(\.1)
            guard !fed.isEmpty else { return nil }
            let receiver = try Registry.receiver(definition, build.context(definition.id))
            return Route(id: definition.id, receiver: receiver, pipelines: fed)
        }
        self.pipelines = pipelines
        self.deliveries = deliveries
        self.logger = logger
        shutdownTimeout = configuration.service.shutdownTimeout
        let health = Health(receivers: routes.count)
        self.health = health
        telemetry = configuration.service.telemetry.metricsEndpoint.map {
            TelemetryServer($0, metrics: metrics, health: health, logger: logger)
        }
    }

    private func run() async throws {
        let serving = Task { try await serve() }
        Signals.onTermination {
            logger.info("stopping")
            health.stop()
            serving.cancel()
            endLater()
        }
        try await withThrowingTaskGroup { group in
            if let telemetry {
                group.addTask {
                    do { try await telemetry.run() } catch {
                        serving.cancel()
                        throw ListenFailure(component: "telemetry", reason: "\(error)")
                    }
                }
            }
            let delivering = Task { await deliver() }
            let outcome = await serving.result
            for pipeline in pipelines { pipeline.journal.close() }
            await delivering.value
            group.cancelAll()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    /// An exporter that neither takes its batch nor fails must not keep the process from ending.
    private func endLater() {
        Task {
            try? await Task.sleep(for: shutdownTimeout)
            let left = deliveries.reduce(0) { $0 + $1.waitingSpans }
            logger.critical("stopping took longer than shutdown_timeout", metadata: ["spans_lost": "\(left)"])
            Signals.exitNow()
        }
    }

    /// Returns when every receiver has stopped; one that fails stops the others.
    private func serve() async throws {
        try await withThrowingTaskGroup { group in
            for route in routes {
                group.addTask {
                    do {
                        try await route.receiver.run(into: route.pipelines) {
                            if health.receiverIsReady() { logger.info("ready") }
                        }
                    } catch {
                        throw ListenFailure(component: route.id.description, reason: "\(error)")
                    }
                }
            }
            // The first to fail ends the wait, and leaving the group cancels the others.
            while try await group.next() != nil {}
        }
    }

    private func deliver() async {
        await withTaskGroup { group in
            for delivery in deliveries { group.addTask { await delivery.run() } }
        }
    }
}

/// A part that could not start or could not go on serving.
struct ListenFailure: Error, CustomStringConvertible {
    let component: String
    let reason: String

    var description: String { "\(component): \(reason)" }
}

/// Makes components out of definitions.
private struct Builder {
    private let configuration: CollectorConfiguration
    private let logger: Logger
    private let metrics: MetricRegistry

    init(_ configuration: CollectorConfiguration, _ logger: Logger, _ metrics: MetricRegistry) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
    }

    func context(_ id: ComponentID, pipeline: ComponentID? = nil) -> Context {
        var logger = logger
        logger[metadataKey: "component"] = "\(id)"
        if let pipeline { logger[metadataKey: "pipeline"] = "\(pipeline)" }
        return Context(id: id, logger: logger, metrics: metrics)
    }

    /// A pipeline and its deliveries. Each pipeline has exporters of its own, so that none waits for another's.
    func pipeline(_ settings: PipelineConfiguration) throws -> (Pipeline, [Delivery]) {
        let journal = Journal(maxBytes: configuration.service.journal.maxBytes.bytes)
        let deliveries = try settings.exporters.map { id in
            let definition = try find(id, in: configuration.exporters)
            let context = context(id, pipeline: settings.id)
            let (exporter, delivery) = try Registry.exporter(definition, context)
            let reader = journal.addReader(onFull: delivery.onFull)
            let letters = try letters(for: id, of: settings.id)
            return Delivery(
                to: exporter, from: reader, delivery, letters: letters, pipeline: settings.id, context,
                now: { Timestamp.now() })
        }
        reportGaps(of: journal, settings)
        let processors = try settings.processors.map { id in
            try Registry.processor(try find(id, in: configuration.processors), context(id, pipeline: settings.id))
        }
        return (Pipeline(id: settings.id, processors: processors, journal: journal), deliveries)
    }

    private func letters(for exporter: ComponentID, of pipeline: ComponentID) throws -> LetterDirectory {
        let journal = configuration.service.journal
        return try LetterDirectory(
            journal.directory(of: pipeline), exporter: exporter,
            limits: LetterDirectory.Limits(
                deadLetters: journal.maxDeadLetters.bytes, parked: journal.maxParked.bytes))
    }

    private func reportGaps(of journal: Journal, _ settings: PipelineConfiguration) {
        let skipped = settings.exporters.map { id in
            metrics.counter(
                "weir_exporter_skipped_spans",
                help: "Spans that an exporter with on_full: skip did not get because the journal was full.",
                labels: ["exporter": "\(id)", "pipeline": "\(settings.id)"])
        }
        let logger = logger
        journal.onGap { gap in
            skipped[gap.cursor].add(gap.spans)
            logger.warning(
                "skipped records that an exporter had not read",
                metadata: [
                    "exporter": "\(settings.exporters[gap.cursor])", "pipeline": "\(settings.id)",
                    "first": "\(gap.sequences.lowerBound)", "last": "\(gap.sequences.upperBound)",
                    "spans": "\(gap.spans)",
                ])
        }
        metrics.observe(
            "weir_journal_bytes", kind: .gauge, help: "Bytes that a pipeline holds for its exporters.",
            labels: ["pipeline": "\(settings.id)"]
        ) { Double(journal.byteCount) }
    }

    private func find(_ id: ComponentID, in definitions: [ComponentDefinition]) throws -> ComponentDefinition {
        guard let definition = definitions.first(where: { $0.id == id }) else {
            throw ConfigError(found: "\(id), which nothing defines", wanted: "a checked configuration")
        }
        return definition
    }
}

extension TelemetryConfiguration.LogLevel {
    var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warn: .warning
        case .error: .error
        }
    }
}

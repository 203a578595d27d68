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

    private let extensions: Extensions
    private let routes: [Route]
    private let pipelines: [Pipeline]
    private let deliveries: [Delivery]
    private let writers: [JournalWriter]
    private let telemetry: TelemetryServer?
    private let operations: OperationsServer?
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
        var build = Builder(configuration, logger, metrics)
        try build.makeExtensions()
        var pipelines: [Pipeline] = []
        var deliveries: [Delivery] = []
        var writers: [JournalWriter] = []
        var journals: [JournalTelemetry] = []
        let opening = try build.journals()
        for settings in configuration.service.pipelines {
            let built = try build.pipeline(settings, opening)
            pipelines.append(built.pipeline)
            deliveries += built.deliveries
            writers.append(built.writer)
            journals.append(built.telemetry)
        }
        routes = try configuration.receivers.compactMap { definition in
            let fed = zip(configuration.service.pipelines, pipelines)
                .filter { $0.0.receivers.contains(definition.id) }.map(\.1)
            guard !fed.isEmpty else { return nil }
            let receiver = try Registry.receiver(definition, build.context(definition.id))
            return Route(id: definition.id, receiver: receiver, pipelines: fed)
        }
        extensions = build.extensions
        self.pipelines = pipelines
        self.deliveries = deliveries
        self.writers = writers
        self.logger = logger
        shutdownTimeout = configuration.service.shutdownTimeout
        let health = Health(receivers: routes.count) { [journals] in journals.flatMap(\.complaints) }
        self.health = health
        telemetry = try configuration.service.telemetry.metrics.map { listener in
            let context = build.context(ComponentID(type: "telemetry"))
            return TelemetryServer(
                listener.endpoint, authentication: try HTTPAuthentication(listener, context), metrics: metrics,
                health: health, logger: logger)
        }
        operations = try configuration.service.operations.map { settings in
            let context = build.context(ComponentID(type: "operations"))
            return OperationsServer(
                settings.listener.endpoint, authentication: try HTTPAuthentication(settings.listener, context),
                routes: OperationsRoute.health(health) + OperationsRoute.bursts(build.bursts, clock: Timestamp.now),
                logger: logger)
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
        for `extension` in extensions.all { try await `extension`.start() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            func serveBeside(_ component: String, _ run: @escaping @Sendable () async throws -> Void) {
                group.addTask {
                    do { try await run() } catch {
                        serving.cancel()
                        throw ListenFailure(component: component, reason: "\(error)")
                    }
                }
            }
            if let telemetry { serveBeside("telemetry", telemetry.run) }
            if let operations { serveBeside("operations", operations.run) }
            let delivering = Task { await deliver() }
            let writing = writers.map { writer in Task { await writer.run() } }
            let outcome = await serving.result
            for pipeline in pipelines { pipeline.journal.close() }
            await delivering.value
            for (task, writer) in zip(writing, writers) {
                task.cancel()
                await task.value
                await writer.finish()
            }
            group.cancelAll()
            try await group.waitForAll()
            try outcome.get()
        }
        for `extension` in extensions.all { await `extension`.finish() }
    }

    /// An exporter that neither takes its batch nor fails must not keep the process from ending.
    private func endLater() {
        Task {
            try? await Task.sleep(for: shutdownTimeout)
            let left = deliveries.reduce(0) { $0 + $1.waitingSpans }
            logger.critical("stopping took longer than shutdown_timeout", metadata: ["spans_undelivered": "\(left)"])
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
    private(set) var extensions = Extensions()
    let bursts: Bursts

    init(_ configuration: CollectorConfiguration, _ logger: Logger, _ metrics: MetricRegistry) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        bursts = Bursts(logger)
    }

    func context(_ id: ComponentID, pipeline: ComponentID? = nil) -> Context {
        var logger = logger
        logger[metadataKey: "component"] = "\(id)"
        if let pipeline { logger[metadataKey: "pipeline"] = "\(pipeline)" }
        return Context(id: id, logger: logger, metrics: metrics, bursts: bursts, extensions: extensions)
    }

    /// Before any other component, since those find them in their context.
    mutating func makeExtensions() throws {
        for definition in configuration.extensions {
            extensions.add(definition.id, try Registry.extension(definition, context(definition.id)))
        }
    }

    /// Sees to the directory of the journals, and to the secret by which their requests are known.
    func journals() throws -> JournalLimits {
        let settings = configuration.service.journal
        try Directory.create(settings.directory)
        var limits = JournalLimits(settings.limits)
        limits.dedupeKey = try KeyFile.read("\(settings.directory)/dedupe.key", size: RequestHash.keySize)
        return limits
    }

    struct Built {
        let pipeline: Pipeline
        let deliveries: [Delivery]
        let writer: JournalWriter
        let telemetry: JournalTelemetry
    }

    /// A pipeline and its deliveries. Each pipeline has exporters of its own, so that none waits for another's.
    func pipeline(_ settings: PipelineConfiguration, _ limits: JournalLimits) throws -> Built {
        let disk = try JournalDirectory(configuration.service.journal.directory(of: settings.id))
        let exporters = try settings.exporters.map { id in
            let context = context(id, pipeline: settings.id)
            let made = try Registry.exporter(try find(id, in: configuration.exporters), context)
            let letters = try letters(for: id, of: settings.id)
            return (context: context, exporter: made.exporter, delivery: made.delivery, letters: letters)
        }
        let telemetry = JournalTelemetry(settings.id, logger, metrics)
        let (journal, writer) = try Journal.open(
            on: disk, limits,
            for: exporters.map { Journal.Destination(name: $0.context.id.fileName, onFull: $0.delivery.onFull) },
            executor: { BlockingExecutor(label: "weir.journal.\(settings.id).\($0)") }, clock: { Timestamp.now() },
            events: { telemetry.note($0) })
        telemetry.observe(journal)
        let deliveries = exporters.enumerated().map { index, made in
            Delivery(
                to: made.exporter, from: journal.reader(index), made.delivery, letters: made.letters,
                pipeline: settings.id, made.context, now: { Timestamp.now() })
        }
        let processors = try settings.processors.map { id in
            try Registry.processor(try find(id, in: configuration.processors), context(id, pipeline: settings.id))
        }
        return Built(
            pipeline: Pipeline(id: settings.id, processors: processors, journal: journal), deliveries: deliveries,
            writer: writer, telemetry: telemetry)
    }

    private func letters(for exporter: ComponentID, of pipeline: ComponentID) throws -> LetterDirectory {
        let journal = configuration.service.journal
        return try LetterDirectory(
            journal.directory(of: pipeline), exporter: exporter,
            limits: LetterDirectory.Limits(
                deadLetters: journal.maxDeadLetters.bytes, parked: journal.maxParked.bytes))
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

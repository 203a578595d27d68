import Logging

/// Builds what the configuration describes, serves, takes a changed configuration, and drains.
actor Service {
    /// Weir could not start or could not go on. The log says why.
    struct Failed: Error {}

    /// Reads the files of the configuration.
    typealias Source = @Sendable () -> CheckedConfiguration

    /// How often it is looked for keys that ought to be destroyed: others may have put a copy of a database back.
    private static let keyInterval = Duration.seconds(60)

    private var configuration: CollectorConfiguration
    private var build: Builder
    private var receivers: [ComponentID: RunningReceiver] = [:]
    private var pipelines: [ComponentID: RunningPipeline] = [:]
    private let budgets = BudgetMonitors()
    private var telemetry: TelemetryServer?
    private var operations: OperationsServer?
    private var lastReload: Task<ReloadOutcome, Never>?
    private var keyWatch: Task<Void, Never>?
    private var isStopping = false
    private let source: Source
    /// What is wrong with files of pipelines that the start went without, a line each.
    private let problems: [String]
    private var watch: ReloadWatch
    private let disks = JournalDisks()
    private let health: Health
    private let reloads: ReloadTelemetry
    private let logger: Logger
    private let metrics: MetricRegistry
    /// Why the service ends: nil for SIGTERM.
    private let ends: AsyncStream<(any Error)?>
    private let end: AsyncStream<(any Error)?>.Continuation
    /// Ends when the start has: reloads wait for that.
    private let starting: AsyncStream<Void>
    private let started: AsyncStream<Void>.Continuation

    /// Runs until SIGTERM, then stops accepting, finishes what is in flight, delivers what is left and returns.
    /// - Parameters:
    ///   - file: the configuration file, for the line that says what was started.
    ///   - sources: it, and the files that it names.
    ///   - problems: what is wrong with those that `configuration` is without, a line each.
    ///   - source: reads them again, for a reload.
    static func run(
        _ configuration: CollectorConfiguration, file: String, _ sources: ConfigSources, without problems: [String],
        source: @escaping Source
    ) async throws {
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
                    "version": "\(Program.version)", "config": "\(file)",
                    "pipelines": "\(configuration.service.pipelines.map(\.id.description).joined(separator: ","))",
                ])
            let files = OpenFiles.allowAll()
            if files < OpenFiles.enough {
                logger.warning(
                    "the system allows few open files, and connections are among them",
                    metadata: ["found": "\(files)", "wanted": "\(OpenFiles.enough)"])
            }
            let service = Service(configuration, sources, without: problems, source, logger, metrics)
            try await service.run()
            logger.info("stopped")
        } catch {
            logger.critical("cannot run", metadata: ["error": "\(error)"])
            throw Failed()
        }
    }

    private init(
        _ configuration: CollectorConfiguration, _ sources: ConfigSources, without problems: [String],
        _ source: @escaping Source, _ logger: Logger, _ metrics: MetricRegistry
    ) {
        self.configuration = configuration
        self.problems = problems
        watch = ReloadWatch(sources)
        self.source = source
        self.logger = logger
        self.metrics = metrics
        health = Health(receivers: 1)
        reloads = ReloadTelemetry(metrics, logger)
        build = Builder(
            configuration, logger, metrics, disks, Bursts(logger), KeepDecisionBoard(),
            Tombstones(configuration.service.erasure.directory))
        (ends, end) = AsyncStream.makeStream()
        (starting, started) = AsyncStream.makeStream()
    }

    private func run() async throws {
        Signals.onTermination { Task { await self.beginToStop() } }
        Signals.onHangUp { _ = await self.reload() }
        var listening: [Task<Void, Never>] = []
        var failure: (any Error)?
        do {
            try await start(&listening)
            started.finish()
            for await reason in ends {
                failure = reason
                break
            }
        } catch {
            failure = error
        }
        isStopping = true
        started.finish()
        _ = await lastReload?.value
        await withTaskGroup { group in
            for receiver in receivers.values { group.addTask { await receiver.stop() } }
        }
        await withTaskGroup { group in
            for pipeline in pipelines.values { group.addTask { await pipeline.stop() } }
        }
        await budgets.stop()
        for task in listening {
            task.cancel()
            await task.value
        }
        keyWatch?.cancel()
        for shared in build.extensions.all { await shared.finish() }
        // It may have waited for a store that was silent, until that was finished.
        await keyWatch?.value
        if let failure { throw failure }
    }

    private func start(_ listening: inout [Task<Void, Never>]) async throws {
        var next = build
        try next.makeExtensions()
        (telemetry, operations) = try listeners(next)
        // Nothing is taken before whoever watches can ask.
        let onFailure: @Sendable (any Error) -> Void = { [end] in end.yield($0) }
        if let telemetry {
            listening.append(
                try await Listening.start("telemetry", onFailure: onFailure) {
                    try await telemetry.run(onListening: $0)
                })
        }
        if let operations {
            listening.append(
                try await Listening.start("operations", onFailure: onFailure) {
                    try await operations.run(onListening: $0)
                })
        }
        for shared in next.extensions.all { try await shared.start() }
        build = next
        reloads.began(without: problems, configuration.missing)
        // Before any span can come or go.
        try await next.tombstones.refresh()
        await destroyErasedKeys(next)
        try await apply(next)
        let service = next.configuration.service
        IdleJournals.tell(
            of: service.journal.directory, beside: service.pipelines.map(\.id),
            without: Set(configuration.missing.map(\.file)), logger)
        listening.append(watchErasures())
        keyWatch = watchKeys()
        listening.append(watchFiles())
        if !isStopping, health.receiverIsReady() { logger.info("ready") }
    }

    /// Who puts a copy of a key store back has the keys of erased subjects again.
    private func destroyErasedKeys(_ build: Builder) async {
        let before = build.tombstones.snapshot.reopened
        do {
            try await build.tombstones.destroyKeys(in: try build.keyrings.map(\.ring), at: .now())
        } catch  where !Task.isCancelled {
            logger.error("cannot look for keys of who was erased", metadata: ["error": "\(error)"])
        } catch {}
        for complaint in build.tombstones.complaints where build.tombstones.snapshot.reopened > before {
            logger.error("\(complaint)")
        }
    }

    /// A store that is silent keeps nobody from hearing of tombstones and holds.
    private func watchKeys() -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: Self.keyInterval)) != nil { await destroyErasedKeys(build) }
        }
    }

    /// Takes what `weir erase` and `weir hold` ask for.
    private func watchErasures() -> Task<Void, Never> {
        let (tombstones, logger) = (build.tombstones, logger)
        return Task {
            var last: String?
            // What was begun before this process is not complete.
            var scrubbed = tombstones.snapshot.open > 0 ? 0 : tombstones.snapshot.requests
            while !Task.isCancelled {
                do {
                    try await tombstones.refresh()
                    let requests = tombstones.snapshot.requests
                    if requests > scrubbed {
                        logger.info("spans of a subject are erased", metadata: ["requests": "\(requests)"])
                        // What exporters were handed before the tombstone is with them by then.
                        try? await Task.sleep(for: .seconds(1))
                        var works = true
                        for pipeline in pipelines.values where await !pipeline.scrub() { works = false }
                        // What a full disk has kept from it is tried again.
                        if works { scrubbed = requests }
                    }
                    try await tombstones.acknowledge()
                    last = nil
                } catch {
                    if "\(error)" != last {
                        logger.error("cannot read what is erased", metadata: ["error": "\(error)"])
                    }
                    last = "\(error)"
                }
                try? await Task.sleep(for: .seconds(1))
            }
            try? await tombstones.refresh()
            await tombstones.close()
        }
    }

    private func listeners(_ build: Builder) throws -> (TelemetryServer?, OperationsServer?) {
        let service = build.configuration.service
        let telemetry = try service.telemetry.metrics.map { listener in
            let context = build.context(ComponentID(type: "telemetry"))
            return TelemetryServer(
                try HTTPListener(listener, context), metrics: metrics, health: health, logger: logger)
        }
        let operations = try service.operations.map { settings in
            let context = build.context(ComponentID(type: "operations"))
            return OperationsServer(
                try HTTPListener(settings.listener, context),
                routes: OperationsRoute.health(health) + OperationsRoute.bursts(build.bursts, clock: Timestamp.now)
                    + [.reload { await self.reload() }, .budgets(budgets.board, clock: Timestamp.now)]
                    + OperationsRoute.queries(
                        build.configuration.exporters.compactMap { definition in
                            HotTables(definition).map { ("\(definition.id)", $0.reader(.default)) }
                        }, keyrings: try build.keyrings,
                        erased: { [tombstones = build.tombstones] in
                            tombstones.snapshot.keys
                        }, clock: Timestamp.now),
                metrics: metrics, logger: logger)
        }
        return (telemetry, operations)
    }

    private func beginToStop() {
        guard !isStopping else { return }
        isStopping = true
        logger.info("stopping")
        health.stop()
        end.yield(nil)
        let (timeout, logger) = (configuration.service.shutdownTimeout, logger)
        // An exporter that neither takes its batch nor fails must not keep the process from ending.
        Task {
            try? await Task.sleep(for: timeout)
            let left = pipelines.values.reduce(0) { $0 + $1.waitingSpans }
            logger.critical("stopping took longer than shutdown_timeout", metadata: ["spans_undelivered": "\(left)"])
            Signals.exitNow()
        }
    }
}

// MARK: - Another configuration

extension Service {
    /// Takes the files as they are now, if nothing is wrong with them; one reload after the other.
    func reload() async -> ReloadOutcome {
        let previous = lastReload
        let current = Task {
            _ = await previous?.value
            let outcome = await change()
            reloads.note(outcome)
            return outcome
        }
        lastReload = current
        return await current.value
    }

    /// Reloads when files have changed, where the configuration says so.
    private func watchFiles() -> Task<Void, Never> {
        Task {
            while (try? await Task.sleep(for: configuration.service.reload.checkInterval)) != nil {
                guard configuration.service.reload.watches else { continue }
                let changed = watch.look()
                guard !changed.isEmpty else { continue }
                logger.info(
                    "files of the configuration have changed", metadata: ["files": "\(changed.joined(separator: ","))"])
                _ = await reload()
            }
        }
    }

    private func change() async -> ReloadOutcome {
        for await _ in starting {}
        if isStopping { return .rejected(.stopping, ["weir is stopping"]) }
        watch.begin()
        let checked = source()
        watch.end(checked.sources, isWhole: checked.partial != nil)
        // A team's file that is wrong leaves that team's pipelines as they are, and nobody else's.
        let errors = checked.diagnostics.lines(of: .error)
        guard let partial = checked.partial else { return .rejected(.configuration, errors) }
        let conflicts = partial.conflicts(keeping: configuration)
        guard conflicts.isEmpty else { return .rejected(.conflict, errors + conflicts) }
        let next = partial.keeping(configuration)
        let (now, then) = (configuration.service, next.service)
        var fixed = then.fixed.filter { now.fixed[$0.key] != $0.value }.keys.map { "service.\($0)" }.sorted()
        if now.operations?.listener.endpoint != then.operations?.listener.endpoint {
            fixed.append("service.operations.endpoint")
        }
        guard fixed.isEmpty else {
            return .rejected(.restart, fixed.map { "\($0): has changed, which takes a restart" })
        }
        // What connects is ended before it is made anew, of files that may be half written.
        let unfit = checked.tlsFiles.filter(\.areOfClient).flatMap {
            TLSFileCheck($0, now: .now(), needsKey: true).diagnostics.lines(of: .error)
        }
        guard unfit.isEmpty else { return .rejected(.configuration, unfit) }
        let before = build
        var made = Builder(
            next, logger, metrics, disks, build.bursts, build.keepDecisions, build.tombstones, build.requestBuckets)
        var started: [any Extension] = []
        do {
            let new = try made.makeExtensions(keeping: before)
            for shared in new {
                started.append(shared)
                try await shared.start()
            }
            try await apply(made)
            let (telemetry, operations) = try listeners(made)
            if let telemetry { try await self.telemetry?.become(telemetry) }
            if let operations { try await self.operations?.become(operations) }
        } catch {
            do { try await apply(before) } catch {
                // What ran before does not run any more, and nobody can say what does.
                end.yield(error)
            }
            keepBursts()
            for shared in started { await shared.finish() }
            return .rejected(.component, ["\(error)"])
        }
        configuration = next
        build = made
        keepBursts()
        for shared in before.extensions.replaced(by: made.extensions) { await shared.finish() }
        return .applied(kept: errors)
    }

    /// Of processors that run.
    private func keepBursts() {
        build.bursts.keep(Set(configuration.service.pipelines.flatMap(\.processors)))
    }

    /// Goes from what runs to what `next` describes. What is the same in both stays as it is.
    private func apply(_ next: Builder) async throws {
        let wanted = next.configuration.service.pipelines
        let used = next.configuration.receivers.filter { receiver in
            wanted.contains { $0.receivers.contains(receiver.id) }
                // Who sends to a pipeline that is not there is to be told to come again.
                || next.configuration.missing.contains { $0.receivers?.contains(receiver.id) ?? false }
        }
        let made = try used.map { (definition: $0, receiver: try Registry.receiver($0, next.context($0.id))) }
        for settings in wanted { try await apply(settings, next) }
        for (definition, receiver) in made { try await apply(definition, receiver, next) }
        for (id, receiver) in receivers where !used.contains(where: { $0.id == id }) {
            receivers[id] = nil
            await receiver.stop()
        }
        for (id, pipeline) in pipelines where !wanted.contains(where: { $0.id == id }) {
            pipelines[id] = nil
            pipeline.pipeline.withdraw()
            await pipeline.stop()
        }
        await budgets.apply(next)
        let complaints = pipelines.values.flatMap(\.complaints)
        let extensions = next.extensions.all
        let journals = pipelines.values.map(\.pipeline.journal)
        let tombstones = next.tombstones
        health.watch { [reloads] in
            complaints.flatMap { $0() } + extensions.flatMap(\.complaints) + reloads.complaints
                + tombstones.complaints
        } refusal: {
            // One that writes is enough: who sends to it need not go elsewhere.
            let failures = journals.compactMap(\.status.failure)
            guard let failure = failures.first, failures.count == journals.count else { return nil }
            return "no journal can be written: \(failure)"
        }
    }

    private func apply(_ settings: PipelineConfiguration, _ next: Builder) async throws {
        let key = try next.key(of: settings)
        guard let running = pipelines[settings.id] else {
            pipelines[settings.id] = RunningPipeline(key, settings, try await next.pipeline(settings))
            return
        }
        if key == running.key { return }
        if key.keepsJournals(of: running.key) { return try await change(running, to: key, settings, next) }
        // The journal is opened again, for another keystore or a stage. Requests wait for it.
        running.pipeline.awaitSuccessor()
        // Where a stage comes or goes, its exporters change journals: what waits is delivered first.
        await running.stop(forAnother: (settings.stage == nil) == (running.settings.stage == nil))
        do {
            try await take(settings, key, next, from: running)
        } catch {
            do {
                try await take(running.settings, running.key, build, from: running)
            } catch {
                // It does not run any more. Who waits for it is told so, and the next try begins it anew.
                pipelines[settings.id] = nil
                running.pipeline.handOver(to: nil)
                throw error
            }
            throw error
        }
    }

    private func change(
        _ running: RunningPipeline, to key: RunningPipeline.Key, _ settings: PipelineConfiguration, _ next: Builder
    ) async throws {
        var changing = running
        do {
            try await changing.become(key, settings, by: next)
        } catch {
            do {
                try await changing.become(running.key, running.settings, by: build)
            } catch {
                // What is left of it ends, and the next try begins it anew.
                pipelines[settings.id] = nil
                await changing.stop()
                throw error
            }
            pipelines[settings.id] = changing
            throw error
        }
        pipelines[settings.id] = changing
    }

    private func take(
        _ settings: PipelineConfiguration, _ key: RunningPipeline.Key, _ build: Builder, from old: RunningPipeline
    ) async throws {
        let new = RunningPipeline(key, settings, try await build.pipeline(settings))
        pipelines[settings.id] = new
        old.pipeline.handOver(to: new.pipeline)
    }

    private func apply(_ definition: ComponentDefinition, _ receiver: any Receiver, _ next: Builder) async throws {
        let id = definition.id
        let fed = next.configuration.service.pipelines.filter { $0.receivers.contains(id) }
        let routes = Routes(
            fed.compactMap { pipelines[$0.id]?.pipeline },
            missing: next.configuration.missing.filter { $0.receivers?.contains(id) ?? true })
        let key = next.key(of: definition)
        if let running = receivers[id] {
            if running.key == key, running.routes == routes { return }
            if try await running.receiver.become(receiver, into: routes) {
                receivers[id] = running.with(key: key, routes)
                return
            }
        }
        let old = receivers[id]
        receivers[id] = try await RunningReceiver.start(id, receiver, key: key, into: routes) { [end] in end.yield($0) }
        await old?.stop()
    }
}

/// What keeps Weir from running, and of whom.
struct StartFailure: Error, CustomStringConvertible {
    let component: String
    let reason: String

    var description: String { "\(component): \(reason)" }

    /// Says of an error whose it is.
    static func naming<Value>(_ component: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw StartFailure(component: component, reason: "\(error)") }
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

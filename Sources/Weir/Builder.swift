import Logging

/// Makes components out of definitions.
struct Builder {
    let configuration: CollectorConfiguration
    private let logger: Logger
    private let metrics: MetricRegistry
    private let disks: JournalDisks
    private(set) var extensions = Extensions()
    let bursts: Bursts
    let keepDecisions: KeepDecisionBoard
    let tombstones: Tombstones

    init(
        _ configuration: CollectorConfiguration, _ logger: Logger, _ metrics: MetricRegistry, _ disks: JournalDisks,
        _ bursts: Bursts, _ keepDecisions: KeepDecisionBoard, _ tombstones: Tombstones
    ) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        self.disks = disks
        self.bursts = bursts
        self.keepDecisions = keepDecisions
        self.tombstones = tombstones
    }

    func context(_ id: ComponentID, pipeline: ComponentID? = nil) -> Context {
        var logger = logger
        logger[metadataKey: "component"] = "\(id)"
        if let pipeline { logger[metadataKey: "pipeline"] = "\(pipeline)" }
        var context = Context(
            id: id, logger: logger, metrics: metrics, bursts: bursts, keepDecisions: keepDecisions,
            erasures: configuration.service.erasure.directory, colderArchives: colderArchives(of: pipeline),
            extensions: extensions)
        guard configuration.exporters.contains(where: { $0.id == id && HotTables($0) != nil }) else { return context }
        let gate = ArchiveGate(ArchiveAgreement(configuration, exporter: id), context) { [tombstones] in
            !tombstones.mayDrop($0)
        }
        context.mayDrop = { await gate.mayDropNow($0, at: .now()) }
        return context
    }

    private func colderArchives(of pipeline: ComponentID?) -> [String] {
        let exporters = configuration.service.pipelines.first { $0.id == pipeline }?.exporters ?? []
        return configuration.exporters.filter { exporters.contains($0.id) }.compactMap { definition in
            let archive = definition.configuration as? ExporterConfiguration<ArchiveExporter>
            return archive?.own.format == .parquet ? nil : archive?.own.directory
        }
    }

    /// Before any other component, since those find them in their context.
    /// - Parameter other: has some already; those that are the same are taken from it.
    /// - Returns: the others.
    @discardableResult mutating func makeExtensions(keeping other: Builder? = nil) throws -> [any Extension] {
        var made: [any Extension] = []
        for definition in configuration.extensions {
            if let kept = other?.extensions.shared(definition.id, fingerprint: definition.fingerprint) {
                extensions.add(definition, kept)
            } else {
                let shared = try Registry.extension(definition, context(definition.id))
                extensions.add(definition, shared)
                made.append(shared)
            }
        }
        return made
    }

    /// What makes a component what it is: its keys, the files that they name, and the extensions that they name.
    func key(of definition: ComponentDefinition) -> Int {
        var hasher = Hasher()
        hasher.combine(definition.id)
        hasher.combine(definition.fingerprint)
        for id in definition.extensions {
            hasher.combine(configuration.extensions.first { $0.id == id }?.fingerprint)
        }
        return hasher.finalize()
    }

    func key(of pipeline: PipelineConfiguration) throws -> RunningPipeline.Key {
        RunningPipeline.Key(
            tenants: pipeline.tenants,
            processors: try pipeline.processors.map { key(of: try find($0, in: configuration.processors)) },
            exporters: try pipeline.exporters.map { key(of: try find($0, in: configuration.exporters)) },
            keystore: try KeystoreCodec.keystore(of: configuration).map {
                key(of: try find($0, in: configuration.extensions))
            })
    }

    /// Sees to the directory of the journals, and to the secret by which their requests are known.
    private func limits() throws -> JournalLimits {
        let settings = configuration.service.journal
        try Directory.create(settings.directory)
        var limits = JournalLimits(settings.limits)
        limits.dedupeKey = try KeyFile.read("\(settings.directory)/dedupe.key", size: RequestHash.keySize)
        return limits
    }

    struct Built {
        let pipeline: Pipeline
        let deliveries: [Delivery]
        let stage: StagedPipeline?
        let writers: [JournalWriter]
        /// What is wrong, a line each.
        let complaints: [@Sendable () -> [String]]
    }

    private typealias Made = (
        context: Context, exporter: any Exporter, delivery: DeliveryConfiguration, letters: LetterDirectory,
        view: ErasureView
    )

    /// A pipeline and its deliveries. Each pipeline has exporters of its own, so that none waits for another's.
    func pipeline(_ settings: PipelineConfiguration) throws -> Built {
        let limits = try limits()
        let codec = try codec()
        let exporters: [Made] = try settings.exporters.map { id in
            let context = context(id, pipeline: settings.id)
            let made = try Registry.exporter(try find(id, in: configuration.exporters), context)
            let letters = try letters(for: id, of: settings.id, codec)
            let view = ErasureView(
                tombstones, ErasureTelemetry(metrics), then: try KeystoreView.make(made.delivery, context))
            return (
                context: context, exporter: made.exporter, delivery: made.delivery, letters: letters, view: view
            )
        }
        let destinations = exporters.map {
            Journal.Destination(name: $0.context.id.fileName, onFull: $0.delivery.onFull)
        }
        let directory = configuration.service.journal.directory(of: settings.id)
        let disk = try disks.open(directory)
        let telemetry = JournalTelemetry(settings.id, logger, metrics)
        guard let stage = settings.stage else {
            try StageHandover.leave(directory, disk, for: destinations)
            let (journal, writer) = try open(disk, limits, for: destinations, of: settings.id, telemetry)
            let pipeline = Pipeline(
                id: settings.id, tenants: settings.tenants, processors: try intake(of: settings), journal: journal)
            return Built(
                pipeline: pipeline, deliveries: deliveries(to: exporters, from: pipeline), stage: nil,
                writers: [writer], complaints: [{ telemetry.complaints }])
        }
        try StageHandover.enter(directory, disk, for: destinations)
        var first = limits
        first.areReadAgain = true
        let (journal, writer) = try open(
            disk, first, for: [Journal.Destination(name: StageCourse.name, onFull: .refuse)], of: settings.id,
            telemetry)
        let source = Pipeline(
            id: settings.id, tenants: settings.tenants, processors: try intake(of: settings), journal: journal)
        let sampled = JournalTelemetry(settings.id, logger, metrics, journal: StageCourse.directory)
        let (second, secondWriter) = try open(
            try disks.open("\(directory)/\(StageCourse.directory)"), limits.behindStage,
            for: destinations + [Journal.Destination(name: StageCourse.name, onFull: .refuse)], of: settings.id,
            sampled)
        let target = Pipeline(
            id: settings.id, processors: try processors(settings.processors[(stage + 1)...], of: settings.id),
            journal: second)
        let id = settings.processors[stage]
        let made = try Registry.stage(
            try find(id, in: configuration.processors), context(id, pipeline: settings.id))
        let staged = StagedPipeline(
            stage: made,
            course: StageCourse(
                source: source, reader: journal.reader(0), keepCursors: { await writer.keepCursors() },
                target: target, progress: second.reader(destinations.count),
                directory: TailSamplingFiles.directory(below: directory),
                now: { Timestamp.now() }))
        return Built(
            pipeline: source, deliveries: deliveries(to: exporters, from: target), stage: staged,
            writers: [writer, secondWriter],
            complaints: [{ telemetry.complaints }, { sampled.complaints }, { made.complaints }])
    }

    private func open(
        _ disk: JournalDirectory, _ limits: JournalLimits, for destinations: [Journal.Destination],
        of pipeline: ComponentID, _ telemetry: JournalTelemetry
    ) throws -> (Journal, JournalWriter) {
        let (journal, writer) = try Journal.open(
            on: disk, limits, for: destinations, codec: try codec(),
            executor: { BlockingExecutor(label: "weir.journal.\(pipeline).\($0)") },
            clock: { Timestamp.now() }, events: { telemetry.note($0) })
        telemetry.observe(journal)
        return (journal, writer)
    }

    private func deliveries(to exporters: [Made], from pipeline: Pipeline) -> [Delivery] {
        exporters.enumerated().map { index, made in
            Delivery(
                to: made.exporter, from: pipeline.journal.reader(index), made.delivery, letters: made.letters,
                view: made.view, pipeline: pipeline.id, made.context, now: { Timestamp.now() })
        }
    }

    /// Those that run before a request is answered: all, or those in front of the stage.
    func processors(of settings: PipelineConfiguration) throws -> [any Processor] {
        try processors(settings.processors[..<(settings.stage ?? settings.processors.count)], of: settings.id)
    }

    /// The same, behind what is in every pipeline.
    func intake(of settings: PipelineConfiguration) throws -> [any Processor] {
        let erasure = ErasureProcessor(
            ErasureProcessor.Configuration(tombstones, ErasureTelemetry(metrics)), context(settings.id))
        return [erasure] + (try processors(of: settings))
    }

    func processors(_ ids: ArraySlice<ComponentID>, of pipeline: ComponentID) throws -> [any Processor] {
        try ids.map { id in
            try Registry.processor(try find(id, in: configuration.processors), context(id, pipeline: pipeline))
        }
    }

    private func codec() throws -> KeystoreCodec? {
        try KeystoreCodec.make(configuration, extensions, logger)
    }

    private func letters(
        for exporter: ComponentID, of pipeline: ComponentID, _ codec: (any RecordCodec)?
    ) throws -> LetterDirectory {
        let journal = configuration.service.journal
        return try LetterDirectory(
            journal.directory(of: pipeline), exporter: exporter,
            limits: LetterDirectory.Limits(
                deadLetters: journal.maxDeadLetters.bytes, parked: journal.maxParked.bytes), codec: codec)
    }

    private func find(_ id: ComponentID, in definitions: [ComponentDefinition]) throws -> ComponentDefinition {
        guard let definition = definitions.first(where: { $0.id == id }) else {
            throw ConfigError(found: "\(id), which nothing defines", wanted: "a checked configuration")
        }
        return definition
    }
}

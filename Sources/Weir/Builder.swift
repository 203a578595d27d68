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
    let requestBuckets: RequestBuckets

    init(
        _ configuration: CollectorConfiguration, _ logger: Logger, _ metrics: MetricRegistry, _ disks: JournalDisks,
        _ bursts: Bursts, _ keepDecisions: KeepDecisionBoard, _ tombstones: Tombstones,
        _ requestBuckets: RequestBuckets = RequestBuckets()
    ) {
        self.configuration = configuration
        self.logger = logger
        self.metrics = metrics
        self.disks = disks
        self.bursts = bursts
        self.keepDecisions = keepDecisions
        self.tombstones = tombstones
        self.requestBuckets = requestBuckets
    }

    func context(_ id: ComponentID, pipeline: ComponentID? = nil) -> Context {
        var logger = logger
        logger[metadataKey: "component"] = "\(id)"
        if let pipeline { logger[metadataKey: "pipeline"] = "\(pipeline)" }
        var context = Context(
            id: id, pipeline: pipeline, logger: logger, metrics: metrics, bursts: bursts, keepDecisions: keepDecisions,
            requestBuckets: requestBuckets, erasures: configuration.service.erasure.directory,
            colderArchives: colderArchives(of: pipeline), extensions: extensions)
        context.hidesAnswers = configuration.service.journal.limits.encryption != nil
        guard configuration.exporters.contains(where: { $0.id == id && HotTables($0) != nil }) else { return context }
        let gate = ArchiveGate(ArchiveAgreement(configuration, exporter: id), context) { [tombstones] in
            !tombstones.mayDrop($0)
        }
        context.mayDrop = { await gate.mayDropNow($0) }
        return context
    }

    private func colderArchives(of pipeline: ComponentID?) -> [String] {
        let exporters = configuration.service.pipelines.first { $0.id == pipeline }?.exporters ?? []
        return configuration.exporters.filter { exporters.contains($0.id) }.compactMap { definition in
            let archive = definition.configuration as? ExporterConfiguration<ArchiveExporter>
            return archive?.own.format == .parquet ? nil : archive?.own.directory
        }
    }

    /// The keys of each keystore.
    var keyrings: [(keystore: String, ring: Keyring)] {
        get throws(ConfigError) {
            var keyrings: [(keystore: String, ring: Keyring)] = []
            for definition in configuration.extensions where definition.id.type == KeystoreExtension.type {
                let keystore: KeystoreExtension = try extensions.find(definition.id)
                keyrings.append(("\(definition.id)", keystore.ring))
            }
            return keyrings
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

    /// The same of an exporter, which may look at the archives beside it.
    private func key(of definition: ComponentDefinition, in pipeline: PipelineConfiguration) -> Int {
        var hasher = Hasher()
        hasher.combine(key(of: definition))
        hasher.combine(ArchiveAgreement(configuration, exporter: definition.id)?.courses)
        if let archive = definition.configuration as? ExporterConfiguration<ArchiveExporter>,
            archive.own.format == .parquet
        {
            hasher.combine(colderArchives(of: pipeline.id))
        }
        return hasher.finalize()
    }

    func key(of pipeline: PipelineConfiguration) throws -> RunningPipeline.Key {
        let processors = try pipeline.processors.map { key(of: try find($0, in: configuration.processors)) }
        let stage = pipeline.stage ?? processors.count
        let exporters = try pipeline.exporters.map { id in
            (id, key(of: try find(id, in: configuration.exporters), in: pipeline))
        }
        return RunningPipeline.Key(
            tenants: pipeline.tenants, front: Array(processors[..<stage]), staged: Array(processors[stage...]),
            exporters: Dictionary(exporters) { first, _ in first },
            keystores: try KeystoreCodec.keystores(of: configuration).map {
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

    /// A journal, and who writes it.
    struct Opened {
        let journal: Journal
        let writer: JournalWriter
        let telemetry: JournalTelemetry
    }

    struct Built {
        let pipeline: Pipeline
        let exporters: [ComponentID: Delivery]
        let stage: StagedPipeline?
        /// The one that requests are written to, and the one behind the stage.
        let journals: [Opened]
    }

    /// An exporter that is to be delivered to.
    struct MadeExporter {
        let exporter: any Exporter
        let context: Context
        fileprivate let delivery: DeliveryConfiguration
        fileprivate let letters: LetterDirectory
        fileprivate let view: ErasureView

        var destination: Journal.Destination {
            Journal.Destination(name: context.id.fileName, onFull: delivery.onFull)
        }
    }

    /// A pipeline and its deliveries. Each pipeline has exporters of its own, so that none waits for another's.
    func pipeline(_ settings: PipelineConfiguration) async throws -> Built {
        let limits = try limits()
        let directory = configuration.service.journal.directory(of: settings.id)
        // First: what is parked there is another process's as long as that has the lock.
        let disk = try StartFailure.naming("pipeline \(settings.id)") { try disks.open(directory) }
        let made = try exporters(settings.exporters, of: settings)
        let destinations = made.map(\.destination)
        guard settings.stage != nil else {
            try await StageHandover.leave(directory, disk, for: destinations, try codec())
            let only = try open(disk, limits, for: destinations, parked: parked(beside: settings), of: settings.id)
            return Built(
                pipeline: try pipeline(settings, on: only.journal),
                exporters: deliveries(to: made, on: only.journal, of: settings), stage: nil, journals: [only])
        }
        try StageHandover.enter(directory, disk, for: destinations)
        var first = limits
        first.areReadAgain = true
        let source = try open(disk, first, for: [StageCourse.destination], of: settings.id)
        let target = try open(
            try disks.open("\(directory)/\(StageCourse.directory)"), limits.behindStage,
            for: destinations + [StageCourse.destination], parked: parked(beside: settings), of: settings.id,
            named: StageCourse.directory)
        let pipeline = try pipeline(settings, on: source.journal)
        return Built(
            pipeline: pipeline, exporters: deliveries(to: made, on: target.journal, of: settings),
            stage: try stage(
                of: settings, from: pipeline, source, reader: source.journal.reader(0), to: target.journal,
                progress: target.journal.reader(made.count)),
            journals: [source, target])
    }

    /// Spans that are set aside for exporters that the pipeline does not have any more.
    func parked(beside settings: PipelineConfiguration) -> [String: Int] {
        let names = Set(settings.exporters.map(\.fileName))
        do throws(FileError) {
            return try ParkedSpans.count(below: configuration.service.journal.directory(of: settings.id)) {
                !names.contains($0)
            }
        } catch {
            context(settings.id).logger.warning("cannot look into what is parked", metadata: ["error": "\(error)"])
            return [:]
        }
    }

    private func open(
        _ disk: JournalDirectory, _ limits: JournalLimits, for destinations: [Journal.Destination],
        parked: [String: Int] = [:], of pipeline: ComponentID, named name: String? = nil
    ) throws -> Opened {
        let telemetry = JournalTelemetry(pipeline, logger, metrics, journal: name)
        let codec = try codec()
        let (journal, writer) = try StartFailure.naming("pipeline \(pipeline)") {
            try Journal.open(
                on: disk, limits, for: destinations, parked: parked, codec: codec,
                executor: { BlockingExecutor(label: "weir.journal.\(pipeline).\($0)") },
                clock: { Timestamp.now() }, events: { telemetry.note($0) })
        }
        telemetry.observe(journal)
        return Opened(journal: journal, writer: writer, telemetry: telemetry)
    }

    /// The way into a journal.
    func pipeline(_ settings: PipelineConfiguration, on journal: Journal) throws -> Pipeline {
        Pipeline(id: settings.id, tenants: settings.tenants, processors: try intake(of: settings), journal: journal)
    }

    /// What stands between two journals, where something does.
    func stage(
        of settings: PipelineConfiguration, from source: Pipeline, _ opened: Opened, reader: JournalReader,
        to second: Journal, progress: JournalReader
    ) throws -> StagedPipeline? {
        guard let place = settings.stage else { return nil }
        let id = settings.processors[place]
        let stage = try Registry.stage(
            try find(id, in: configuration.processors), context(id, pipeline: settings.id))
        let target = Pipeline(
            id: settings.id,
            processors: try processors(settings.processors[(place + 1)...], of: settings.id, isBehindStage: true),
            journal: second)
        return StagedPipeline(
            stage: stage,
            course: StageCourse(
                source: source, reader: reader, keepCopies: { await opened.writer.publish() },
                holdsRefused: { await opened.writer.holdsRefused },
                keepCursors: { await opened.writer.keepCursors() }, target: target, progress: progress,
                erasure: erasure(of: settings.id), silentErasure: erasure(of: settings.id, isCounted: false),
                directory: TailSamplingFiles.directory(
                    below: configuration.service.journal.directory(of: settings.id)),
                now: { Timestamp.now() }))
    }

    func exporters(_ ids: [ComponentID], of settings: PipelineConfiguration) throws -> [MadeExporter] {
        let codec = try codec()
        return try ids.map { id in
            let context = context(id, pipeline: settings.id)
            let definition = try find(id, in: configuration.exporters)
            let (exporter, delivery) = try StartFailure.naming("exporter \(id) of pipeline \(settings.id)") {
                try Registry.exporter(definition, context)
            }
            return MadeExporter(
                exporter: exporter, context: context, delivery: delivery,
                letters: try letters(for: id, of: settings.id, codec),
                view: ErasureView(
                    tombstones, ErasureTelemetry(metrics), then: try KeystoreView.make(delivery, context)))
        }
    }

    private func deliveries(
        to exporters: [MadeExporter], on journal: Journal, of settings: PipelineConfiguration
    ) -> [ComponentID: Delivery] {
        var deliveries: [ComponentID: Delivery] = [:]
        for (index, made) in exporters.enumerated() {
            deliveries[made.context.id] = delivery(to: made, from: journal.reader(index), of: settings)
        }
        return deliveries
    }

    func delivery(
        to made: MadeExporter, from reader: JournalReader, of settings: PipelineConfiguration
    ) -> Delivery {
        Delivery(
            to: made.exporter, from: reader, made.delivery, letters: made.letters, view: made.view,
            pipeline: settings.id, made.context,
            timing: Delivery.Timing(stopping: configuration.service.shutdownTimeout), now: { Timestamp.now() })
    }

    /// Those that run before a request is answered: all, or those in front of the stage.
    func processors(of settings: PipelineConfiguration) throws -> [any Processor] {
        try processors(settings.processors[..<(settings.stage ?? settings.processors.count)], of: settings.id)
    }

    /// The same, behind what is in every pipeline.
    private func intake(of settings: PipelineConfiguration) throws -> [any Processor] {
        [erasure(of: settings.id)] + (try processors(of: settings))
    }

    private func erasure(of pipeline: ComponentID, isCounted: Bool = true) -> ErasureProcessor {
        let telemetry = isCounted ? ErasureTelemetry(metrics) : nil
        return ErasureProcessor(ErasureProcessor.Configuration(tombstones, telemetry), context(pipeline))
    }

    func processors(
        _ ids: ArraySlice<ComponentID>, of pipeline: ComponentID, isBehindStage: Bool = false
    ) throws -> [any Processor] {
        try ids.map { id in
            var context = context(id, pipeline: pipeline)
            context.isBehindStage = isBehindStage
            return try Registry.processor(try find(id, in: configuration.processors), context)
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

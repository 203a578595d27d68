/// A pipeline at work: its journal is written, its exporters are delivered to.
struct RunningPipeline: Sendable {
    /// What of a configuration makes it what it is.
    struct Key: Equatable, Sendable {
        let tenants: Set<String>?
        /// Of the processors in front of the first journal, in their order.
        let front: [Int]
        /// Of the stage and those behind it, in their order; empty where there is no stage.
        let staged: [Int]
        let exporters: [ComponentID: Int]
        /// Of the keystore that its journal and letters are sealed with.
        let keystores: [Int]

        /// Whether a pipeline becomes the other one on the same journals.
        func keepsJournals(of other: Key) -> Bool {
            keystores == other.keystores && staged.isEmpty == other.staged.isEmpty
        }
    }

    private struct Delivering {
        let key: Int?
        let delivery: Delivery
        let task: Task<Void, Never>

        init(_ key: Int?, _ delivery: Delivery) {
            (self.key, self.delivery) = (key, delivery)
            task = Task { await delivery.run() }
        }
    }

    private struct Staging {
        let key: [Int]
        let staged: StagedPipeline
        let task: Task<Void, Never>

        init(_ key: [Int], _ staged: StagedPipeline) {
            (self.key, self.staged) = (key, staged)
            task = Task { await staged.run() }
        }

        /// Ends it once the first journal is closed to it. What it reads in the second is open still, and nobody is to
        /// wait for the key of a record there.
        func end() async {
            staged.course.progress.leave()
            await task.value
        }
    }

    private(set) var key: Key
    private(set) var settings: PipelineConfiguration
    private(set) var pipeline: Pipeline
    private var exporters: [ComponentID: Delivering]
    private var stage: Staging?
    private let journals: [(opened: Builder.Opened, task: Task<Void, Never>)]

    /// Begins to write and to deliver.
    init(_ key: Key, _ settings: PipelineConfiguration, _ built: Builder.Built) {
        self.key = key
        self.settings = settings
        pipeline = built.pipeline
        journals = built.journals.map { opened in (opened, Task { await opened.writer.run() }) }
        exporters = Dictionary(
            uniqueKeysWithValues: built.exporters.map { ($0, Delivering(key.exporters[$0], $1)) })
        stage = built.stage.map { Staging(key.staged, $0) }
    }

    /// Spans that the destinations have yet to take.
    var waitingSpans: Int { exporters.values.reduce(0) { $0 + $1.delivery.waitingSpans } }

    /// What is wrong, a line each.
    var complaints: [@Sendable () -> [String]] {
        var complaints = journals.map { journal in { @Sendable in journal.opened.telemetry.complaints } }
        if let stage = stage?.staged.stage { complaints.append { stage.complaints } }
        for exporter in exporters.values {
            let telemetry = exporter.delivery.telemetry
            complaints.append { telemetry.complaints }
        }
        return complaints
    }

    /// Sees to it that what is delivered is not in the journals any more, and that what the destinations hold back is
    /// where it can be found.
    /// - Returns: whether it worked, with all of them.
    func scrub() async -> Bool {
        var works = true
        for (opened, _) in journals where await !opened.writer.scrub() { works = false }
        for exporter in exporters.values { await exporter.delivery.attempt.exporter.settle() }
        return works
    }

    /// Takes no more requests, delivers what the destinations take, and leaves the rest in the journal.
    /// - Parameter forAnother: a pipeline that goes on with the same journal; then nothing more is begun.
    func stop(forAnother: Bool = false) async {
        // Whoever reads is to see what was answered before it hears that no more comes.
        await journals.first?.opened.writer.publish()
        pipeline.journal.close(forAnother: forAnother)
        await stage?.end()
        for (opened, _) in journals {
            await opened.writer.publish()
            opened.journal.close(forAnother: forAnother)
        }
        for exporter in exporters.values { await exporter.task.value }
        for (opened, task) in journals {
            task.cancel()
            await task.value
            await opened.writer.finish()
        }
    }
}

// MARK: - Another configuration

extension RunningPipeline {
    /// Goes on as another configuration describes it, on the same journals: whatever is the same in both does not
    /// notice. Where it throws, some of what is not the same may have ended; the same way leads back.
    mutating func become(_ key: Key, _ settings: PipelineConfiguration, by builder: Builder) async throws {
        let isSame = key.front == self.key.front && key.tenants == self.key.tenants
        let next = isSame ? pipeline : try builder.pipeline(settings, on: pipeline.journal)
        try await changeStage(key, settings, builder)
        try await changeExporters(key, settings, builder)
        (self.key, self.settings, pipeline) = (key, settings, next)
    }

    private mutating func changeStage(
        _ key: Key, _ settings: PipelineConfiguration, _ builder: Builder
    ) async throws {
        guard let first = journals.first?.opened, let second = journals.last?.opened, key.staged != stage?.key ?? []
        else { return }
        if let stage {
            stage.staged.course.reader.leave()
            await stage.end()
        }
        stage = nil
        let readers = try await first.writer.exchange(for: [StageCourse.destination], beside: [])
        let progress = try await second.writer.exchange(for: [StageCourse.destination], beside: names)
        stage = try builder.stage(
            of: settings, from: pipeline, first, reader: readers[0], to: second.journal, progress: progress[0]
        ).map { Staging(key.staged, $0) }
    }

    /// In the journal that the exporters read.
    private var names: Set<String> {
        Set(exporters.keys.map(\.fileName) + (journals.count > 1 ? [StageCourse.name] : []))
    }

    private mutating func changeExporters(
        _ key: Key, _ settings: PipelineConfiguration, _ builder: Builder
    ) async throws {
        let gone = exporters.filter { id, exporter in key.exporters[id] != exporter.key }
        let new = settings.exporters.filter { id in exporters[id] == nil || gone[id] != nil }
        guard !gone.isEmpty || !new.isEmpty, let journal = journals.last?.opened else { return }
        // Whatever the old ones hold, a lock or a file, the new ones may want.
        for (id, exporter) in gone {
            exporter.delivery.reader.leave()
            exporters[id] = nil
        }
        for exporter in gone.values { await exporter.task.value }
        let made = try builder.exporters(new, of: settings)
        let readers = try await journal.writer.exchange(
            for: made.map(\.destination), beside: names, parked: builder.parked(beside: settings))
        for (made, reader) in zip(made, readers) {
            let id = made.context.id
            exporters[id] = Delivering(key.exporters[id], builder.delivery(to: made, from: reader, of: settings))
        }
    }
}

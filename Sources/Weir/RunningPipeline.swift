/// A pipeline at work: its journal is written, its exporters are delivered to.
struct RunningPipeline: Sendable {
    /// What of a configuration makes it what it is.
    struct Key: Equatable {
        let tenants: Set<String>?
        /// Of the processors, in their order.
        let processors: [Int]
        /// Of the exporters, in their order.
        let exporters: [Int]
        /// Of the keystore that its journal and letters are sealed with.
        let keystore: Int?
    }

    let key: Key
    let settings: PipelineConfiguration
    private(set) var pipeline: Pipeline
    let deliveries: [Delivery]
    let complaints: [@Sendable () -> [String]]
    private let writers: [(writer: JournalWriter, task: Task<Void, Never>)]
    private let delivering: Task<Void, Never>

    /// Begins to write and to deliver.
    init(_ key: Key, _ settings: PipelineConfiguration, _ built: Builder.Built) {
        self.key = key
        self.settings = settings
        pipeline = built.pipeline
        deliveries = built.deliveries
        complaints = built.complaints
        writers = built.writers.map { writer in (writer, Task { await writer.run() }) }
        delivering = Task { [deliveries] in
            await withTaskGroup { group in
                for delivery in deliveries { group.addTask { await delivery.run() } }
                if let stage = built.stage { group.addTask { await stage.run() } }
            }
        }
    }

    /// The same with other processors.
    func with(_ key: Key, _ settings: PipelineConfiguration, _ pipeline: Pipeline) -> RunningPipeline {
        RunningPipeline(self, key, settings, pipeline)
    }

    private init(_ other: RunningPipeline, _ key: Key, _ settings: PipelineConfiguration, _ pipeline: Pipeline) {
        (self.key, self.settings, self.pipeline) = (key, settings, pipeline)
        (deliveries, complaints) = (other.deliveries, other.complaints)
        (writers, delivering) = (other.writers, other.delivering)
    }

    /// Sees to it that what is delivered is not in the journals any more, and that what the destinations hold back is
    /// where it can be found.
    /// - Returns: whether it worked, with all of them.
    func scrub() async -> Bool {
        var works = true
        for (writer, _) in writers where await !writer.scrub() { works = false }
        for delivery in deliveries { await delivery.attempt.exporter.settle() }
        return works
    }

    /// Takes no more requests, delivers what the destinations take, and leaves the rest in the journal.
    /// - Parameter forAnother: a pipeline that goes on with the same journal; then nothing more is begun.
    func stop(forAnother: Bool = false) async {
        pipeline.journal.close(forAnother: forAnother)
        await delivering.value
        for (writer, task) in writers {
            task.cancel()
            await task.value
            await writer.finish()
        }
    }
}

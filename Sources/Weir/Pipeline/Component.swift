/// A part that `collector.yaml` can name.
protocol Component: Sendable {
    associatedtype Configuration: Configurable
    /// The word in front of the slash of a component id, `type/name`.
    static var type: String { get }
    /// One line for `weir components`.
    static var help: String { get }
    /// What `weir check` says wherever a file uses the component; for one that is accepted and does nothing.
    static var note: String? { get }
    init(_ configuration: Configuration, _ context: Context) throws
}

extension Component {
    static var note: String? { nil }
}

/// Changes each batch of a pipeline. Does no I/O; one lane at a time calls it, and each lane has its own copy.
protocol Processor: Component {
    mutating func process(_ batch: inout Batch) throws(Refusal)
}

/// Turns requests into batches.
protocol Receiver: Component {
    /// Serves until the task is cancelled, then answers what is in flight and returns.
    /// - Parameter onReady: is called once the receiver takes requests.
    func run(into pipelines: [Pipeline], onReady: @Sendable () -> Void) async throws
}

/// Brings batches to one destination. Batching, retry and timeout are the delivery loop's, not the exporter's.
protocol Exporter: Component {
    /// Returns once the destination has taken the batch. May see the same batch again.
    func export(_ batch: FrozenBatch) async throws(ExportError)
    /// Called about once a second by the delivery loop, for work that is due by time and not by data.
    func tick(at now: Timestamp) async
    /// Called once, after the last `export`.
    func finish() async
}

extension Exporter {
    func tick(at now: Timestamp) async {}
    func finish() async {}
}

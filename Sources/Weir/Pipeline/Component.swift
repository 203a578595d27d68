/// A part that `collector.yaml` can name.
protocol Component: Sendable {
    associatedtype Configuration: Configurable
    /// The word in front of the slash of a component id, `type/name`.
    static var type: String { get }
    /// Another word for the same; nil where there is none.
    static var alias: String? { get }
    /// One line for `weir components`.
    static var help: String { get }
    /// What `weir check` says wherever a file uses the component; for one that is accepted and does nothing.
    static var note: String? { get }
    init(_ configuration: Configuration, _ context: Context) throws
}

extension Component {
    static var note: String? { nil }
    static var alias: String? { nil }
}

/// Changes each batch of a pipeline. Does no I/O; one lane at a time calls it, and each lane has its own copy.
protocol Processor: Component {
    mutating func process(_ batch: inout Batch) throws(Refusal)
    /// What has to be durable before the batch that was processed last may be written anywhere; nil for most. Asked
    /// after every processor had the batch.
    mutating func takePrerequisite() -> Prerequisite?
}

extension Processor {
    func takePrerequisite() -> Prerequisite? { nil }
}

/// Turns requests into batches.
protocol Receiver: Component {
    /// Serves until the task is cancelled, then answers what is in flight and returns.
    /// - Parameter onReady: is called once the receiver takes requests.
    func run(into routes: Routes, onReady: @escaping @Sendable () -> Void) async throws
    /// Serves from now on as `next` would, which does not run, without a request or a connection being lost on the way.
    /// - Returns: whether it does; a receiver that cannot is stopped, and `next` started. Nothing has changed where it
    ///   throws.
    func become(_ next: any Receiver, into routes: Routes) async throws -> Bool
}

/// Brings batches to one destination. Batching, retry and timeout are the delivery's, not the exporter's.
protocol Exporter: Component {
    static var deliveryDefaults: DeliveryDefaults { get }
    /// Returns once the destination has taken the batch. May see a record again, after an error or a restart, and
    /// where the configuration allows several calls at once, it is called so. A record may come with a part of its
    /// spans, unless `deliveryDefaults` forbid it. An attempt that takes longer than `timeout` is cancelled, and waited
    /// for: only then the next one is made.
    func export(_ batch: FrozenBatch) async throws(ExportError)
    /// The last sequence, at most `sequence`, through which everything that was exported is safe at the destination,
    /// whatever happens here. Asked after exports and ticks. For most exporters that is `sequence`; one for which it is
    /// less has at most one consumer, and never answers that a tenant is blocked.
    func settled(through sequence: UInt64) async -> UInt64
    /// Makes everything that was exported safe now, because the journal needs the room that it holds.
    func settle() async
    /// Called about once a second by the delivery, for work that is due by time and not by data; also during an export.
    func tick(at now: Timestamp) async
    /// Called once, after the last `export`.
    func finish() async
}

extension Exporter {
    static var deliveryDefaults: DeliveryDefaults { DeliveryDefaults() }
    func settled(through sequence: UInt64) async -> UInt64 { sequence }
    func settle() async {}
    func tick(at now: Timestamp) async {}
    func finish() async {}
}

/// What other components use by its id. It is made before them and finishes after them.
protocol Extension: Component {
    /// What it is used for; the same for all extensions of a type.
    static var role: ExtensionRole { get }
    /// What is wrong with it though Weir runs, a line each.
    var complaints: [String] { get }
    /// Called once, before anything that uses it runs.
    func start() async throws
    /// Called once, when nothing uses it any more.
    func finish() async
}

extension Extension {
    var complaints: [String] { [] }
    func start() async throws {}
    func finish() async {}
}

extension Receiver {
    func become(_ next: any Receiver, into routes: Routes) async throws -> Bool { false }
}

/// The way of spans from receivers through processors into the journal. Its exporters read from there.
final class Pipeline: Sendable {
    /// `traces` or `traces/name`.
    let id: ComponentID
    let journal: Journal
    private let processors: [any Processor]

    init(id: ComponentID, processors: [any Processor], journal: Journal) {
        self.id = id
        self.processors = processors
        self.journal = journal
    }

    /// A copy of the processors for one event loop.
    func makeLane() -> Lane {
        Lane(of: self, processors: processors)
    }
}

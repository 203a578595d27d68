/// Drops spans of erased subjects when they are received, in front of every processor of every pipeline, and when a
/// stage takes them up again. No configuration names it.
struct ErasureProcessor: Processor {
    struct Configuration: Configurable {
        let tombstones: Tombstones
        /// Nil where what is dropped does not count.
        let telemetry: ErasureTelemetry?

        init(_ tombstones: Tombstones, _ telemetry: ErasureTelemetry?) {
            self.tombstones = tombstones
            self.telemetry = telemetry
        }

        init(_ fields: inout Fields) throws(ConfigError) {
            throw ConfigError(found: "erasure as a processor", wanted: "none: it is in every pipeline")
        }
    }

    /// What one lane works with from batch to batch.
    // Sendable: the copy of the processor that a lane owns makes it with its first batch and never hands it on; the
    // copy that lanes are made from has none.
    private final class Work: @unchecked Sendable {
        var version = -1
        var matchers: [String: [SubjectMatcher]] = [:]
    }

    static let type = "erasure"
    static let help = "Drops spans of erased subjects."

    private let configuration: Configuration
    private var work: Work?

    init(_ configuration: Configuration, _ context: Context) {
        self.configuration = configuration
    }

    mutating func process(_ batch: inout Batch) {
        let snapshot = configuration.tombstones.snapshot
        guard snapshot.subjects.has(batch.tenant) else { return }
        let work = work ?? Work()
        self.work = work
        if work.version != snapshot.version {
            work.version = snapshot.version
            work.matchers = snapshot.subjects.groups.mapValues { $0.map { SubjectMatcher($0) } }
        }
        for matcher in work.matchers[batch.tenant] ?? [] {
            var traces: Set<TraceID> = []
            let count = matcher.erase(in: &batch, &traces)
            guard count > 0 else { continue }
            configuration.telemetry?.add(count, tenant: batch.tenant)
            configuration.tombstones.note(traces, of: matcher.group)
        }
    }
}

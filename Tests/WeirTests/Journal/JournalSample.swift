import Synchronization

@testable import Weir

/// A journal on a disk in memory, the task that writes it, and what it has to say.
final class JournalSample: Sendable {
    let disk: SimulatedDisk
    let journal: Journal
    let events: EventCapture
    private let writer: JournalWriter
    private let writing: Task<Void, Never>

    init(
        _ limits: JournalLimits = .small(), for destinations: [Journal.Destination] = [.init("a")],
        on disk: SimulatedDisk = SimulatedDisk(seed: 1), clock: TestClock = TestClock()
    ) throws(DiskError) {
        let events = EventCapture()
        let (journal, writer) = try Journal.open(
            on: disk, limits, for: destinations, executor: { BlockingExecutor(label: $0) }, clock: { clock.now },
            events: { events.add($0) })
        self.disk = disk
        self.journal = journal
        self.events = events
        self.writer = writer
        writing = Task { await writer.run() }
    }

    deinit {
        writing.cancel()
    }

    /// What a reload does with exporters.
    func exchange(
        for destinations: [Journal.Destination], beside kept: Set<String> = [], parked: [String: Int] = [:]
    ) async throws(DiskError) -> [JournalReader] {
        try await writer.exchange(for: destinations, beside: kept, parked: parked)
    }

    /// What was answered is seen by whoever reads.
    func publish() async { await writer.publish() }

    /// Ends as a service does: takes no more, and writes down how far everybody is.
    func stop() async {
        journal.close()
        writing.cancel()
        await writing.value
        await writer.finish()
    }
}

extension Journal.Destination {
    init(_ name: String, _ onFull: FullPolicy = .refuse) {
        self.init(name: name, onFull: onFull)
    }
}

extension JournalLimits {
    /// Of a journal of few and small segments, so that a test sees several.
    static func small(maxBytes: Int = 1 << 20, segmentBytes: Int = 4_096) -> JournalLimits {
        var limits = JournalLimits(maxBytes: maxBytes)
        limits.segmentBytes = segmentBytes
        limits.tenantBytes = maxBytes
        // All tests run at once, so that the writer may have to wait for a processor.
        limits.patience = .seconds(120)
        return limits
    }
}

/// Keeps what a journal has to say.
final class EventCapture: Sendable {
    private let heard = Mutex<[JournalEvent]>([])

    var all: [JournalEvent] { heard.withLock { $0 } }

    func add(_ event: JournalEvent) { heard.withLock { $0.append(event) } }

    var gaps: [JournalGap] {
        all.compactMap { event in
            guard case .gap(let gap) = event else { return nil }
            return gap
        }
    }
}

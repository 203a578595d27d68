@testable import Weir

/// A pipeline, and the reader that keeps what it takes.
struct PipelineSample {
    let pipeline: Pipeline
    let reader: JournalReader
    private let sample: JournalSample

    init(_ name: String? = nil, maxBytes: Int = 1 << 20, processors: [any Processor] = []) throws(DiskError) {
        sample = try JournalSample(.small(maxBytes: maxBytes))
        reader = sample.journal.reader(0)
        pipeline = Pipeline(
            id: ComponentID(type: "traces", name: name), processors: processors, journal: sample.journal)
    }

    /// Gives it records of one span until it refuses the smallest.
    func fill() async {
        for size in [4_000, 1] {
            let entry = JournalEntry(
                tenant: "", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1, payload: .zeros(size))
            while (try? await sample.journal.append(entry)) != nil {}
        }
    }

    /// Spans of each record that it took.
    func taken() async -> [Int] { await reader.read().map(\.spanCount) }
}

/// Drops every span, or refuses every batch.
struct BluntProcessor: Processor {
    static let type = "blunt"
    static let help = "Drops every span, or refuses every batch."

    struct Configuration: Configurable {
        init(_ fields: inout Fields) {}
    }

    private let refusal: Refusal?

    /// - Parameter refusal: nil drops every span.
    init(refusing refusal: Refusal?) {
        self.refusal = refusal
    }

    init(_ configuration: Configuration, _ context: Context) {
        self.init(refusing: nil)
    }

    mutating func process(_ batch: inout Batch) throws(Refusal) {
        if let refusal { throw refusal }
        batch.select { _ in false }
    }
}

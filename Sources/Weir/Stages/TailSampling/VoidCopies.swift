/// Finds copies of open traces' spans that stand in a journal beside the record that they were made of: a process made
/// them and was ended before the record had left without these spans, so they go on from their first place.
struct VoidCopies {
    /// Records of a tenant that follow on each other.
    struct Run {
        let tenant: String
        let receivedAt: Timestamp
        var sequences: ClosedRange<UInt64>
    }

    /// Those that were found, in their order.
    private(set) var runs: [Run] = []
    private let journal: JournalID
    private var waiting = SequenceRuns()

    init(in journal: JournalID) {
        self.journal = journal
    }

    /// - Parameter record: one that is not done; each once, in the order of the journal. Where the record that it was
    ///   made of cannot be read, a copy is all that there is.
    mutating func add(_ record: JournalRecord) {
        let sequence = record.sequence
        defer { waiting.add(sequence) }
        guard let place = record.firstPlace(in: journal), waiting.contains(place) else { return }
        if let last = runs.last, last.sequences.upperBound + 1 == sequence, last.tenant == record.tenant {
            runs[runs.count - 1].sequences = last.sequences.lowerBound...sequence
        } else {
            runs.append(Run(tenant: record.tenant, receivedAt: record.receivedAt, sequences: sequence...sequence))
        }
    }
}

extension JournalRecord {
    /// Which record of a journal it is a copy of; nil where it is none.
    func firstPlace(in journal: JournalID) -> UInt64? {
        section.origin.flatMap { $0.journal == journal ? $0.sequences.lowerBound : nil }
    }
}

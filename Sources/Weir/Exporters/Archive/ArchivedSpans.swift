/// The spans of one partition that a file, or what is appended to one, holds: which records of the journal they are of,
/// and how many.
struct ArchivedSpans: Equatable {
    /// Manifests have so many; of more only the first and the last record are known.
    static let maxRuns = 2_000
    /// Of a file whose records are counted up one by one: many times what there is.
    private static let maxRecords = 1 << 24

    /// Which records, as far as that is known: then they are as many as ``records``.
    private(set) var runs: [ClosedRange<UInt64>]
    private(set) var records: Int
    private(set) var spans: Int
    /// When the spans started, in nanoseconds since 1970; nil where nobody looked.
    private(set) var times: ClosedRange<UInt64>?
    /// Those that stand on another day than that, since their clocks cannot be right.
    private(set) var suspects: Int

    init(of sequence: UInt64, spans: Int, times: ClosedRange<UInt64>? = nil) {
        self.init(of: sequence...sequence, records: 1, spans: spans, times: times)
    }

    init(of sequences: ClosedRange<UInt64>, records: Int, spans: Int, times: ClosedRange<UInt64>?) {
        self.init(of: [sequences], records: records, spans: spans, times: times)
    }

    /// - Parameter runs: in their order, at least one.
    init(of runs: [ClosedRange<UInt64>], records: Int, spans: Int, times: ClosedRange<UInt64>?, suspects: Int = 0) {
        precondition(!runs.isEmpty, "spans of no record")
        self.runs = runs
        self.records = records
        self.spans = spans
        self.times = times
        self.suspects = suspects
    }

    /// Of the first and the last record.
    var sequences: ClosedRange<UInt64> { runs[0].lowerBound...runs[runs.count - 1].upperBound }

    /// Whether ``runs`` are the records and no others.
    var knowsEverySequence: Bool {
        let count = runs.reduce(UInt64(0)) { $0 &+ ($1.upperBound - $1.lowerBound) &+ 1 }
        return count == UInt64(records) && records <= Self.maxRecords
    }

    /// That of each record; nil where it is not known.
    var everySequence: [UInt64]? { knowsEverySequence ? runs.flatMap { Array($0) } : nil }

    /// How many of these are of none of its records.
    func foreign(among sequences: Set<UInt64>) -> Int {
        var (count, place) = (0, 0)
        for sequence in sequences.sorted() {
            while place < runs.count, runs[place].upperBound < sequence { place += 1 }
            if place == runs.count || runs[place].lowerBound > sequence { count += 1 }
        }
        return count
    }

    /// Whether `sequence` may come next, so that no record of the partition between first and last is anywhere else.
    /// - Parameter since: every record of the partition from here to `sequence` was exported, and none of them is in
    ///   another file that is published already.
    func canGoOn(with sequence: UInt64, since: UInt64) -> Bool {
        sequences.upperBound < sequence && sequences.upperBound >= since
    }

    mutating func append(_ next: ArchivedSpans) {
        for run in next.runs {
            let last = runs[runs.count - 1]
            if last.upperBound &+ 1 == run.lowerBound {
                runs[runs.count - 1] = last.lowerBound...run.upperBound
            } else {
                runs.append(run)
            }
        }
        if runs.count > Self.maxRuns { runs = [sequences] }
        records += next.records
        spans += next.spans
        suspects += next.suspects
        times =
            times.map { own in
                next.times.map { min(own.lowerBound, $0.lowerBound)...max(own.upperBound, $0.upperBound) } ?? own
            } ?? next.times
    }
}

/// Takes a record apart: what goes on, with what was decided written on it, what is only counted, and what is copied
/// because it is not decided. Spans of whom was erased since they came are in none of it, so that no copy of them is
/// younger than their tombstone.
struct TailSamplingSplitter: ~Copyable {
    /// What is made of a record.
    struct Parts {
        /// For the second journal.
        var forwarded: JournalEntry
        var kept = 0
        var dropped = 0
    }

    private let lane: Lane
    private var erasure: any Processor
    private var silentErasure: any Processor
    private var batch = Batch(decodedLimit: .max)
    private var encoder = OTLPEncoder()
    private var marks = DecisionMarks()

    init(_ course: StageCourse) {
        lane = course.target.makeLane()
        (erasure, silentErasure) = (course.erasure, course.silentErasure)
    }

    /// The spans of these traces, as they are, and which of the traces have any; nil where none has.
    mutating func copy(
        _ traces: Set<TraceID>, of record: JournalRecord
    ) throws -> (entry: JournalEntry, traces: Set<TraceID>)? {
        try open(record)
        defer { close() }
        keep { traces.contains($0) }
        var found: Set<TraceID> = []
        for span in batch.spans where !span.isDropped { found.insert(span.trace) }
        return try entry(record).map { ($0, found) }
    }

    /// The spans that were sampled out, as they are; nil where there is none.
    mutating func leftOut(
        of record: JournalRecord, moved: Set<TraceID>, _ decision: (TraceID) -> TraceDecision?
    ) throws -> JournalEntry? {
        try open(record)
        defer { close() }
        keep { !moved.contains($0) && decision($0)?.isKept == false }
        return try entry(record)
    }

    /// Traces of which a span matches; all without a condition.
    mutating func traces(of record: JournalRecord, where condition: Condition? = nil) throws -> Set<TraceID> {
        try open(record)
        defer { close() }
        var traces: Set<TraceID> = []
        for span in batch.spans where !span.isDropped && condition?.matches(batch, span: span) ?? true {
            traces.insert(span.trace)
        }
        return traces
    }

    /// How many spans each of these traces has in a record; those that have none are not among them.
    mutating func spans(of record: JournalRecord, of traces: Set<TraceID>) throws -> [TraceID: Int] {
        guard !traces.isEmpty else { return [:] }
        try open(record)
        defer { close() }
        return batch.spans.reduce(into: [:]) { found, span in
            if !span.isDropped, traces.contains(span.trace) { found[span.trace, default: 0] += 1 }
        }
    }

    /// The spans of these traces, marked as called back, so that they stand for none in an estimate.
    /// - Parameter kept: those among them that others keep, with a probability.
    /// - Returns: nil where there is none.
    mutating func promote(
        _ traces: Set<TraceID>, of record: JournalRecord, as kept: [TraceID: KeptTrace]
    ) throws -> (entry: JournalEntry, traces: Set<TraceID>)? {
        try open(record)
        defer { close() }
        keep { traces.contains($0) }
        guard batch.spanCount > 0 else { return nil }
        let rule = batch.store(.string(TailSamplingRun.promoted))
        var found: Set<TraceID> = []
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            let trace = batch.spans[index].trace
            found.insert(trace)
            if let kept = kept[trace] {
                marks.mark(index, kept.threshold, batch.store(.string(kept.rule)), in: &batch)
                continue
            }
            marks.markPromoted(index, rule, in: &batch)
        }
        return try lane.process(&batch).map { ($0, found) }
    }

    private mutating func keep(_ isWanted: (TraceID) -> Bool) {
        for index in batch.spans.indices where !batch.spans[index].isDropped && !isWanted(batch.spans[index].trace) {
            batch.drop(span: index)
        }
    }

    private mutating func entry(_ record: JournalRecord) throws(Refusal) -> JournalEntry? {
        guard batch.spanCount > 0 else { return nil }
        guard let payload = encoder.encode(batch) else { throw .tooLarge("a part of it is more than can be written") }
        return JournalEntry(
            tenant: record.tenant, receivedAt: record.receivedAt, spanCount: batch.spanCount, payload: payload)
    }

    /// - Parameters:
    ///   - moved: traces whose spans have left the record.
    ///   - decision: of each other trace.
    ///   - rule: the name of a decision's policy.
    mutating func split(
        _ record: JournalRecord, moved: Set<TraceID>, _ decision: (TraceID) -> TraceDecision?,
        rule: (UInt16) -> String
    ) throws -> Parts {
        try open(record, goesOn: true)
        defer { close() }
        let kept = marks.write({ moved.contains($0) ? nil : decision($0) }, rule: rule, onto: &batch)
        let dropped = batch.sampledOutSpanCount
        let made = try lane.process(&batch)
        var entry =
            made
            ?? JournalEntry(tenant: record.tenant, receivedAt: record.receivedAt, spanCount: 0, payload: .empty)
        // What was left out in front of the first journal goes with what was left out now: one behind the other, two of
        // these values are both together.
        if let earlier = record.section.value(of: .sampledOut) {
            var section = RecordSection()
            let both = Array(earlier) + Array(entry.section.value(of: .sampledOut) ?? [])
            both.withUnsafeBytes { section.add(.sampledOut, $0) }
            entry.section = section
        }
        return Parts(forwarded: entry, kept: kept, dropped: dropped)
    }

    /// - Parameter goesOn: once for each record; else it is only looked at.
    private mutating func open(_ record: JournalRecord, goesOn: Bool = false) throws {
        try OTLPDecoder(maxValueDepth: .max).decode(record.payload, into: &batch)
        batch.tenant = record.tenant
        batch.receivedAt = record.cameAt
        if goesOn { try erasure.process(&batch) } else { try silentErasure.process(&batch) }
        marks.begin()
    }

    /// What a large record took is not kept until the next one comes.
    private mutating func close() { batch.reset(to: .empty) }
}

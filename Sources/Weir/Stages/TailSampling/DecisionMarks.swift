/// Carries out on a batch what was decided about its traces.
struct DecisionMarks {
    private var notes = SamplingNotes()

    /// Before the first span of a batch.
    mutating func begin() {
        notes.begin()
    }

    /// Marks the spans that are kept, and samples out the others.
    /// - Parameters:
    ///   - decision: of a trace; spans of one without are taken away.
    ///   - rule: the name of a decision's policy.
    /// - Returns: how many are kept.
    mutating func write(
        _ decision: (TraceID) -> TraceDecision?, rule: (UInt16) -> String, onto batch: inout Batch
    ) -> Int {
        var rules: [UInt16: (number: UInt8, value: StoredValue)] = [:]
        var kept = 0
        // Spans of one trace mostly come together.
        var latest: (trace: TraceID, decision: TraceDecision?)?
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            let trace = TraceID(high: batch.spans[index].traceIDHigh, low: batch.spans[index].traceIDLow)
            if latest?.trace != trace { latest = (trace, decision(trace)) }
            guard let decision = latest?.decision else {
                batch.drop(span: index)
                continue
            }
            let known = rules[decision.rule]
            let name = known ?? Self.add(rule(decision.rule), to: &batch)
            if known == nil { rules[decision.rule] = name }
            if decision.isKept {
                mark(index, decision.threshold, name.value, in: &batch)
                kept += 1
            } else {
                batch.sampleOut(span: index, by: name.number)
            }
        }
        return kept
    }

    private static func add(_ name: String, to batch: inout Batch) -> (UInt8, StoredValue) {
        (name.isEmpty ? 0 : batch.addSamplingRule(AttributeKey(name)), batch.store(.string(name)))
    }

    /// Writes onto a span which policy kept it, and with which probability.
    mutating func mark(
        _ index: Int, _ threshold: SamplingThreshold, _ rule: StoredValue, in batch: inout Batch
    ) {
        batch.set(Batch.samplingRule, to: rule, of: .span(index))
        let span = batch.spans[index]
        // Of one that nobody can read, nobody can say with which probability it came so far.
        guard let trace = TraceState(batch.bytes(span.traceState)) else { return }
        let both = threshold.equalized(with: trace.threshold)
        // "The rejection threshold MUST NOT exceed the randomness of a sampled span": spans of a trace whose
        // randomness differs are counted by nobody.
        let written = both.keeps(trace.randomness ?? SamplingRandomness(of: span)) ? both : nil
        if let written {
            notes.note(written, on: index, trace, in: &batch)
        } else {
            notes.erase(on: index, trace, in: &batch)
        }
    }

    /// Writes onto a span that was called back that it stands for none: those that were kept stand for it already.
    mutating func markPromoted(_ index: Int, _ rule: StoredValue, in batch: inout Batch) {
        batch.set(Batch.samplingRule, to: rule, of: .span(index))
        batch.set(Batch.adjustedCount, to: batch.store(.double(0)), of: .span(index))
        if let trace = TraceState(batch.bytes(batch.spans[index].traceState)) {
            notes.erase(on: index, trace, in: &batch)
        }
    }
}

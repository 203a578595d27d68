/// Keeps a part of all traces, as the OpenTelemetry Collector's processor of this name does. `docs/sampling.md`.
struct ProbabilisticSamplerProcessor: Processor {
    typealias Configuration = ProbabilisticSamplerConfiguration

    static let type = "probabilistic_sampler"
    static let help = "Keeps a part of all traces, and notes on their spans how many they stand for."

    /// By what was decided: the label `policy`.
    private enum Policy: Int, CaseIterable {
        case traceIDHash, traceID, randomness, priority, missing

        var name: String {
            switch self {
            case .traceIDHash: "trace_id_hash"
            case .traceID: "trace_id_w3c"
            case .randomness: "sampling_randomness"
            case .priority: "sampling_priority"
            case .missing: "missing_randomness"
            }
        }
    }

    /// What is found out about a span before it is decided.
    private struct Finding {
        /// Nil where it cannot be read.
        let state: TraceState?
        let randomness: SamplingRandomness
        var policy: Policy
        /// Something is wrong with the trace state; `fail_closed` decides.
        var isBroken = false
        /// The threshold that came with the span is not one by which it would be here.
        var isInconsistent = false
        /// The randomness is one that nobody knew before, and is to be noted.
        var isNew = false
        /// The trace state belongs to samplers that this one does not understand.
        var isForeign = false
    }

    private let configuration: ProbabilisticSamplerConfiguration
    private let threshold: SamplingThreshold
    private let name: AttributeKey
    /// By policy, those that were sampled out and those that were kept.
    private let counters: [[Counter]]
    private var counts = [[Int]](repeating: [0, 0], count: Policy.allCases.count)
    private var notes = SamplingNotes()

    init(_ configuration: ProbabilisticSamplerConfiguration, _ context: Context) {
        self.configuration = configuration
        name = AttributeKey(context.id.description)
        threshold = configuration.threshold
        counters = Policy.allCases.map { policy in
            ["false", "true"].map { isSampled in
                context.metrics.counter(
                    "otelcol_processor_probabilistic_sampler_count_traces_sampled",
                    help: "Spans that a probabilistic_sampler kept or sampled out, by what.",
                    labels: ["processor": "\(context.id)", "policy": policy.name, "sampled": isSampled])
            }
        }
    }

    mutating func process(_ batch: inout Batch) {
        notes.begin()
        var rule: UInt8?
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            let isKept = sample(index, in: &batch)
            guard !isKept else { continue }
            let known = rule ?? batch.addSamplingRule(name)
            rule = known
            batch.sampleOut(span: index, by: known)
        }
        for policy in counts.indices {
            for isKept in 0...1 {
                counters[policy][isKept].add(counts[policy][isKept])
                counts[policy][isKept] = 0
            }
        }
    }

    /// - Returns: whether the span is kept; its trace state then says so.
    private mutating func sample(_ index: Int, in batch: inout Batch) -> Bool {
        var finding = find(batch.spans[index], in: batch)
        var threshold = decide(finding)
        let priority = SamplingPriority(of: batch.spans[index], in: batch)
        if let priority {
            threshold = priority == .mustKeep ? .always : .never
            finding.policy = .priority
        }
        let isKept = threshold.keeps(finding.randomness)
        counts[finding.policy.rawValue][isKept ? 1 : 0] += 1
        guard isKept, let state = finding.state, !finding.isForeign else { return isKept }
        if finding.isInconsistent {
            notes.erase(on: index, state, in: &batch)
        } else {
            notes.note(
                threshold.equalized(with: state.threshold), randomness: finding.isNew ? finding.randomness : nil,
                on: index, state, in: &batch)
        }
        return true
    }

    private func find(_ span: SpanRecord, in batch: borrowing Batch) -> Finding {
        let state = TraceState(batch.bytes(span.traceState))
        if threshold == .never {
            return Finding(state: state, randomness: .most, policy: .priority, isBroken: state == nil)
        }
        if configuration.mode == .hashSeed {
            let isForeign = state?.hasSamplingInformation ?? false
            return Finding(
                state: state, randomness: TraceIDHash.randomness(of: span, seed: configuration.hashSeed),
                policy: .traceIDHash, isBroken: state == nil || isForeign, isNew: true, isForeign: isForeign)
        }
        // Where nobody can know by what to decide, nothing but never is below.
        guard let state else { return Finding(state: nil, randomness: .most, policy: .missing, isBroken: true) }
        let randomness = state.randomness ?? SamplingRandomness(of: span)
        let isInconsistent = state.threshold.map { !$0.keeps(randomness) } ?? false
        return Finding(
            state: state, randomness: randomness, policy: state.randomness == nil ? .traceID : .randomness,
            isBroken: isInconsistent, isInconsistent: isInconsistent)
    }

    private func decide(_ finding: Finding) -> SamplingThreshold {
        guard !finding.isBroken else { return configuration.failsClosed ? .never : .always }
        guard configuration.mode != .proportional else {
            return .proportional(
                configuration.ratio, of: finding.state?.threshold, precision: configuration.precision)
        }
        return threshold.equalized(with: finding.state?.threshold)
    }
}

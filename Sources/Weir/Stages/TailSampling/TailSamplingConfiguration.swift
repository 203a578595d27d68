/// The keys of `tail_sampling`, with the OpenTelemetry Collector's names where it has them.
struct TailSamplingConfiguration: Configurable {
    let policies: TailPolicies
    let tests: [SpanTest]
    let window: TraceWindow.Settings
    /// Traces whose decisions are remembered.
    let keptDecisions: Int
    let droppedDecisions: Int
    let recall: RecallConfiguration?
    /// With the stages of other pipelines.
    let sharesDecisions: Bool

    var traits: ProcessorTraits {
        var traits: ProcessorTraits = [.stores, .samplesOut]
        if policies.policies.contains(where: { $0.rule.asksCost }) { traits.insert(.asksCost) }
        return traits
    }

    var askedKeys: [AttributeKey] {
        tests.flatMap { test -> [AttributeKey] in
            guard case .condition(let condition) = test else { return [] }
            return condition.expression.keys
        }
    }

    var ownDirectory: String? { recall?.directory }

    init(_ fields: inout Fields) {
        let wait = fields.duration(
            "decision_wait", default: .seconds(30), in: .milliseconds(100) ... .seconds(86_400),
            "A trace is decided this long after its first span came, at the latest.")
        let rootWait = fields.duration(
            "decision_wait_after_root_received", default: .seconds(2), in: .zero ... .seconds(3_600),
            "And this long after its root came, which is its last span in most cases; 0s: that is not looked at.")
        let idle = fields.duration(
            "idle_timeout", default: .zero, in: .zero ... .seconds(3_600),
            "And when none of its spans came for so long; 0s: that is not looked at.")
        let traces = fields.int(
            "num_traces", default: 200_000, in: 100...100_000_000,
            "Open traces. Beyond that, those that are due first are decided early.")
        let spans = fields.int(
            "max_spans_per_trace", default: 10_000, in: 1...1_000_000_000,
            "A trace that has so many spans is decided, and those that follow go its way.")
        let memory = fields.bytes(
            "max_memory", default: .mebibytes(256), in: .mebibytes(1) ... .gibibytes(64),
            "What is remembered of open traces. Beyond that, those that are due first are decided early.")
        let forward = fields.duration(
            "copy_forward_after", default: .seconds(10), in: .milliseconds(100) ... .seconds(86_400),
            "A request whose traces are not all decided by then goes on, but for the spans of those that are open.")
        fields.ignore("expected_new_traces_per_sec", "memory is taken as it is needed")
        fields.ignore("block_on_overflow", "what does not fit is decided early, and nothing is dropped undecided")
        fields.ignore("maximum_trace_size_bytes", "bodies wait on the disk; max_spans_per_trace bounds a trace")
        fields.ignore("sample_on_first_match", "every policy is asked, and one that keeps a trace is enough")
        (keptDecisions, droppedDecisions) = fields.section("decision_cache", "For spans that come late.") { fields in
            let sizes = 1_000...100_000_000
            return (
                fields.int("sampled_cache_size", default: 100_000, in: sizes, "Traces that were kept."),
                fields.int("non_sampled_cache_size", default: 400_000, in: sizes, "Traces that were not.")
            )
        }
        var reader = TailPolicyReader()
        let list = reader.policies(&fields)
        policies = TailPolicies(list, limits: reader.limits)
        tests = reader.tests
        window = TraceWindow.Settings(
            decisionWait: wait.inNanoseconds, rootWait: rootWait == .zero ? nil : rootWait.inNanoseconds,
            idle: idle == .zero ? nil : idle.inNanoseconds, maxTraces: traces, maxSpans: spans,
            maxMemory: memory.bytes, forwardAfter: forward.inNanoseconds)
        sharesDecisions = fields.bool(
            "share_decisions", default: false,
            "Whether a trace that another tail_sampling with this key keeps for what is in it is kept here too.")
        recall = fields.optionalSection("recall", "What was not kept, for a while.", RecallConfiguration.init)
    }
}

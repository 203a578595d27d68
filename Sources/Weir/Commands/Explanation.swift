import Foundation

/// What is known of how a trace was sampled.
struct Explanation {
    /// Stored spans that were sampled alike.
    struct Kept: Hashable {
        /// Nil where no rule of Weir decided.
        let rule: String?
        let burst: String?
        let traceState: String?
        /// Nil where nobody says.
        let adjustedCount: Double?
    }

    let id: TraceID
    /// Whether the senders gave a randomness of their own.
    let isExplicit: Bool
    let randomness: SamplingRandomness
    /// Whether somebody can say which spans are stored.
    let isStoreKnown: Bool
    let kept: [(kind: Kept, spans: Int, from: Timestamp)]
    let calls: [SampledOutCall]
    let verdicts: [SamplingVerdict]
    let decisions: [StageDecision]

    /// - Parameters:
    ///   - spans: those that are stored, the earliest first; nil where there are no hot tables.
    ///   - calls: nil as `spans`.
    init(
        of id: TraceID, _ spans: [TraceSpan]?, _ calls: [SampledOutCall]?, _ decisions: [StageDecision],
        _ configuration: CollectorConfiguration
    ) {
        self.id = id
        isStoreKnown = spans != nil
        let spans = spans ?? []
        self.calls = calls ?? []
        self.decisions = decisions
        let states = spans.compactMap(\.traceState).map(Self.state)
        let explicit = states.compactMap { $0?.randomness }.first
        isExplicit = explicit != nil
        randomness = explicit ?? SamplingRandomness(id.low)
        verdicts = SamplingVerdict.all(in: configuration, traceID: id, randomness: randomness)
        var kinds: [(kind: Kept, spans: Int, from: Timestamp)] = []
        for span in spans {
            let kind = Kept(span)
            if let place = kinds.firstIndex(where: { $0.kind == kind }) {
                kinds[place].spans += 1
            } else {
                kinds.append((kind, 1, span.span.startTime))
            }
        }
        kept = kinds
    }

    var isEmpty: Bool { kept.isEmpty && calls.isEmpty && !decisions.contains { $0.made != nil } }

    fileprivate static func state(
        _ text: String
    ) -> (threshold: SamplingThreshold?, randomness: SamplingRandomness?)? {
        Array(text.utf8).withUnsafeBytes { TraceState($0).map { ($0.threshold, $0.randomness) } }
    }
}

extension Explanation.Kept {
    fileprivate init(_ span: TraceSpan) {
        let json = try? JSONSerialization.jsonObject(with: Data(span.attributes.utf8))
        let attributes = json as? [String: Any] ?? [:]
        rule = attributes[Batch.samplingRule.text] as? String
        burst = attributes[SamplingProcessor.burstKey.text] as? String
        traceState = span.traceState
        let threshold = span.traceState.flatMap { Explanation.state($0)?.threshold }
        adjustedCount = attributes[Batch.adjustedCount.text] as? Double ?? threshold?.adjustedCount
    }
}

// MARK: - For people

extension Explanation {
    var text: String {
        let source = isExplicit ? "given by the sender" : "the end of its id"
        var text = "trace \(id.text), randomness \(Self.hexadecimal(randomness)), \(source)\n\n"
        for (kind, spans, from) in kept {
            let count = kind.adjustedCount.map { ", each for \(Self.short($0))" } ?? ""
            let burst = kind.burst.map { ", in the burst of \($0.quotedForMessage)" } ?? ""
            let rule = kind.rule.map { "kept by rule \($0.quotedForMessage)" } ?? "kept, by no rule of Weir"
            text += "\(spans) stored, \(rule)\(burst)\(count); the first starts \(from.text)\n"
        }
        for call in calls {
            let model = call.model?.quotedForMessage ?? "a model"
            let rule = call.rule.isEmpty ? "sampled out" : "sampled out by rule \(call.rule.quotedForMessage)"
            text +=
                "a call of \(model) by \(call.service.quotedForMessage) at \(call.startTime.text): \(rule); it counts\n"
        }
        for decision in decisions { text += decision.text + "\n" }
        if !isStoreKnown {
            text += "no exporter has hot tables, as postgres and sqlite have: which spans are stored is not known\n"
        } else if isEmpty {
            text +=
                "no span is stored, and no call of a model is known: it was never sent, or left out. Of spans that\n"
                + "are left out but for calls of models, the rollups count how many there were, and not which.\n"
        }
        return text + rules
    }

    private var rules: String {
        guard !verdicts.isEmpty else { return decisions.isEmpty ? "\nthe configuration has no sampler\n" : "" }
        var table = TextTable([
            .init(title: "SAMPLER", isFlexible: true), .init(title: "RULE", isFlexible: true),
            .init(title: "PROBABILITY", isNumber: true), .init(title: "THRESHOLD"), .init(title: "THIS TRACE"),
        ])
        for verdict in verdicts {
            let outcome =
                switch verdict.outcome {
                case .kept: "kept, where the rule is for it"
                case .sampledOut: "sampled out, where the rule is for it"
                case .unknown: "by \(verdict.key ?? ""), else by the trace"
                }
            table.add([
                verdict.processor, verdict.rule.isEmpty ? "-" : verdict.rule, Self.short(verdict.probability),
                verdict.threshold.text, outcome,
            ])
        }
        return "\nby the configuration as it is now:\n\(table.text)"
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }

    private static func hexadecimal(_ randomness: SamplingRandomness) -> String {
        randomness.bits.digits(SamplingRandomness.digits, radix: 16)
    }
}

// MARK: - For programs

extension Explanation {
    /// One object.
    var json: String {
        let kept = kept.map { kind, spans, from in
            #"{"rule":\#(Self.json(kind.rule)),"burst":\#(Self.json(kind.burst)),"#
                + #""trace_state":\#(Self.json(kind.traceState)),"#
                + #""adjusted_count":\#(kind.adjustedCount.map { "\($0)" } ?? "null"),"#
                + #""spans":\#(spans),"start_time":"\#(from.text)"}"#
        }
        let calls = calls.map { call in
            #"{"start_time":"\#(call.startTime.text)","service":\#(call.service.quotedAsJSON),"#
                + #""model":\#(Self.json(call.model)),"rule":\#(call.rule.quotedAsJSON)}"#
        }
        let rules = verdicts.map { verdict in
            #"{"processor":\#(verdict.processor.quotedAsJSON),"rule":\#(verdict.rule.quotedAsJSON),"#
                + #""probability":\#(verdict.probability),"threshold":"\#(verdict.threshold.text)","#
                + #""key":\#(Self.json(verdict.key)),"outcome":"\#(verdict.outcome.rawValue)"}"#
        }
        return #"{"trace_id":"\#(id.text)","randomness":"\#(Self.hexadecimal(randomness))","explicit":\#(isExplicit),"#
            + #""kept":\#(stored(kept)),"sampled_out_calls":\#(stored(calls)),"#
            + #""decisions":[\#(decisions.map(\.json).joined(separator: ","))],"#
            + #""rules":[\#(rules.joined(separator: ","))]}"#
    }

    private func stored(_ objects: [String]) -> String {
        isStoreKnown ? "[\(objects.joined(separator: ","))]" : "null"
    }

    private static func json(_ text: String?) -> String { text?.quotedAsJSON ?? "null" }
}

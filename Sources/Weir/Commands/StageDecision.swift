/// What a `tail_sampling` of this machine has decided about a tenant's trace, as it wrote it down.
struct StageDecision {
    let pipeline: ComponentID
    let processor: ComponentID
    /// The decision that holds, and when it was, or up to a second later; nil where none is remembered.
    let made: (decision: RecordOrigin.Decision, time: Timestamp)?

    /// Of each pipeline with such a stage.
    static func all(
        about trace: TraceID, of tenant: String, in configuration: CollectorConfiguration
    ) throws(FileError) -> [StageDecision] {
        var found: [StageDecision] = []
        for pipeline in configuration.service.pipelines {
            let directory = TailSamplingFiles.directory(
                below: configuration.service.journal.directory(of: pipeline.id))
            guard let stage = pipeline.stage else { continue }
            var made: (RecordOrigin.Decision, Timestamp)?
            let beginning = Array("\(trace.text) \(tenant) ".utf8)
            if Directory.has(directory) {
                try RecentLines(TailSamplingFiles.name, in: directory, maxBytes: 0).forEach { line in
                    guard line.starts(with: beginning), let found = TailSamplingFiles.decision(in: line) else { return }
                    made = (found.decision, found.time)
                }
            }
            found.append(StageDecision(pipeline: pipeline.id, processor: pipeline.processors[stage], made: made))
        }
        return found
    }
}

extension StageDecision {
    /// For people.
    var text: String {
        let place = "\(processor) of \(pipeline)"
        guard let made else {
            return "\(place) has written nothing of it: it is open, was never here, or is forgotten"
        }
        return "\(place) decided at \(made.time.text): \(made.decision.outcome)"
    }

    /// For programs.
    var json: String {
        let place = #"{"pipeline":"\#(pipeline)","processor":"\#(processor)","#
        guard let made else { return place + #""kept":null}"# }
        return place + #""kept":\#(made.decision.isKept),"rule":\#(made.decision.rule.quotedAsJSON),"#
            + #""threshold":"\#(made.decision.threshold.text)","time":"\#(made.time.text)"}"#
    }
}

extension RecordOrigin.Decision {
    /// For people.
    var outcome: String {
        let policy = rule.isEmpty ? "no policy" : "policy \(rule.quotedForMessage)"
        if isKept { return "kept by \(policy), threshold \(threshold.text)" }
        return threshold == .never
            ? "left out by \(policy)" : "left out; nearest to keeping it was \(policy), threshold \(threshold.text)"
    }
}

extension SamplingThreshold {
    /// As a trace state has it; `-` where nothing is kept.
    var text: String {
        guard self != .never else { return "-" }
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

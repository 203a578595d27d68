import Foundation

// What the rules of docs/examples/sampling.yaml cost: CPU time of this thread for a span that none but the last is for, whatever
// part that keeps; the decoding not counted. What it costs to write down what was kept and what was left out is beside it. The
// bodies are those of make_bodies.py; the best of the rounds.
// Usage: Sampling FOLDER [ROUNDS]

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

private func `is`(_ field: (AttributeKey) -> ConditionField, _ key: String, _ text: String) -> ConditionExpression {
    .test(field(AttributeKey(key)), .equals(ConditionLiteral(text)))
}

private func has(_ key: String) -> ConditionExpression {
    .not(.test(.attribute(AttributeKey(key)), .equals(.nil)))
}

guard CommandLine.arguments.count > 1 else {
    print("usage: Sampling FOLDER [ROUNDS]")
    exit(2)
}
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 15 : 15
let goal = 0.05

let payloads = try (0..<16).map { variant in
    let file = URL(filePath: CommandLine.arguments[1]).appending(path: "backend100-\(variant).pb")
    return try Data(contentsOf: file).withUnsafeBytes { Payload.copying($0) }
}
var batch = Batch()
var encoder = OTLPEncoder()
var sampledOut = SampledOutEncoder()
var isWell = true
for part in [1, 0.05] {
    var processor = SamplingProcessor(
        SamplingConfiguration(rules: [
            SamplingRule(
                "staging", `is`(ConditionField.resourceAttribute, "deployment.environment.name", "staging"), 1),
            SamplingRule("llm", .any([has("gen_ai.request.model"), has("gen_ai.usage.input_tokens")]), 1),
            SamplingRule(
                "ui",
                .any([
                    `is`(ConditionField.resourceAttribute, "service.name", "web-ui"),
                    `is`(ConditionField.attribute, "event.domain", "browser"),
                ]), 0.2, key: "session.id"),
            SamplingRule("rest", nil, part),
        ]), Context())
    var best = [Double](repeating: .infinity, count: 4)
    for _ in 0..<rounds * 20 {
        var (times, spans) = ([0.0, 0, 0, 0], 0)
        for payload in payloads {
            let before = threadTime()
            try OTLPDecoder().decode(payload, into: &batch)
            spans += batch.spanCount
            let start = threadTime()
            processor.process(&batch)
            let processed = threadTime()
            _ = encoder.encode(batch)
            let encoded = threadTime()
            if batch.sampledOutSpanCount > 0 { _ = sampledOut.encode(batch) }
            let ended = threadTime()
            // Looking at the clock costs as much as a few spans.
            let look = threadTime() - ended
            let parts = [start - before, processed - start, encoded - processed, ended - encoded]
            for (index, time) in parts.enumerated() { times[index] += max(0, time - look) }
        }
        for index in best.indices { best[index] = min(best[index], times[index] / Double(spans)) }
    }
    let (decode, process, encode, count) = (best[0], best[1], best[2], best[3])
    let sum = process + encode + count
    let holds = sum <= goal
    isWell = isWell && holds
    func text(_ time: Double) -> String { String(format: "%.3f", time) }
    print(
        "head sampling that keeps \(part): \(text(sum)) us a span, goal \(goal)\(holds ? "" : ", which does not hold"):"
            + " to decide \(text(process)), to write what is kept \(text(encode)), to count what is left out"
            + " \(text(count)); decoding is \(text(decode))")
}
exit(isWell ? 0 : 1)

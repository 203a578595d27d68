import Foundation

// What pricing costs: CPU time of this thread for a span that is a call of a model, and for one that is not. The
// decoding is not counted, nor is the asking for the time. The bodies are those of make_bodies.py; the best of the rounds.
// Usage: Cost FOLDER [ROUNDS]

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

guard CommandLine.arguments.count > 1 else {
    print("usage: Cost FOLDER [ROUNDS]")
    exit(2)
}
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 15 : 15

var rates = Rates()
rates[.input] = 2_500_000
rates[.cacheRead] = 1_250_000
rates[.output] = 10_000_000
let price = ModelPrice(provider: "openai", model: "gpt-4o", aliases: ["gpt-4o-2024-11-20"], rates: rates)
var processor = CostProcessor(CostConfiguration(table: PriceTable([PriceFile(models: [price])])), Context())

let clock = (0..<1_000).reduce(Double.infinity) { best, _ in
    let start = threadTime()
    return min(best, threadTime() - start)
}
var isWell = true
for (name, kind, goal) in [("llm20", "call of a model", 0.5), ("backend100", "other span", 0.05)] {
    let payloads = try (0..<16).map { variant in
        let file = URL(filePath: CommandLine.arguments[1]).appending(path: "\(name)-\(variant).pb")
        return try Data(contentsOf: file).withUnsafeBytes { Payload.copying($0) }
    }
    var batch = Batch()
    var best = Double.infinity
    for _ in 0..<rounds * 20 {
        var (time, spans) = (0.0, 0)
        for payload in payloads {
            try OTLPDecoder().decode(payload, into: &batch)
            let start = threadTime()
            processor.process(&batch)
            time += threadTime() - start - clock
            spans += batch.spanCount
        }
        best = min(best, time / Double(spans))
    }
    let holds = best <= goal
    isWell = isWell && holds
    print("cost, \(kind): \(String(format: "%.3f", best)) us, goal \(goal)\(holds ? "" : ", which does not hold")")
}
exit(isWell ? 0 : 1)

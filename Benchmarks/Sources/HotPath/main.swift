import CHotPath
import Foundation

// Measures the codecs beside what they are to be measured by, in one process: the cases take turns, so that a noisy moment
// meets all of them, and ratios are taken within a round. CPU time of this thread; medians over the rounds.
// Usage: HotPath FOLDER [ROUNDS [CASE]], with the bodies that make_bodies.py wrote to FOLDER. With CASE, that case alone, for a
// profiler.

guard CommandLine.arguments.count > 1 else {
    print("usage: HotPath FOLDER [ROUNDS [CASE]]")
    exit(2)
}
let folder = CommandLine.arguments[1]
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 15 : 15

let only = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : nil

/// Nanoseconds for all variants once; repeated until a round is long enough for the clock.
private func time(_ work: (Payload) -> Void, _ payloads: [Payload], repeats: Int) -> Double {
    let start = hotpath_thread_time()
    for _ in 0..<repeats {
        for payload in payloads { work(payload) }
    }
    return Double(hotpath_thread_time() - start) / Double(repeats)
}

private func median(_ values: [Double]) -> Double {
    values.sorted()[values.count / 2]
}

private func measure(_ bodies: Bodies) {
    let bench = Workbench()
    let cases = Case.all(bench).filter { only == nil || $0.name == only }
    // About 4 ms for each case and round.
    let repeats = cases.map { one -> Int in
        let payloads = bodies[keyPath: one.format]
        _ = time(one.run, payloads, repeats: 2)
        return max(1, Int(4_000_000 / max(1, time(one.run, payloads, repeats: 2))))
    }
    var times = [[Double]](repeating: [], count: cases.count)
    for _ in 0..<rounds {
        for (index, one) in cases.enumerated() {
            times[index].append(time(one.run, bodies[keyPath: one.format], repeats: repeats[index]))
        }
    }
    report(bodies, cases, times)
}

private func report(_ bodies: Bodies, _ cases: [Case], _ times: [[Double]]) {
    let yardsticks = ["memcpy", "protobuf-c, arena", "simdjson"]
    print(
        "\n\(bodies.name): \(bodies.spans) spans, \(bodies.protobuf[0].count) B protobuf, \(bodies.json[0].count) B JSON"
    )
    print(row("", ["GB/s", "us/span"] + yardsticks.map { "x \($0)" }))
    for (index, one) in cases.enumerated() {
        let bytes = Double(bodies[keyPath: one.format].reduce(0) { $0 + $1.count })
        let spans = Double(bodies.spans * bodies[keyPath: one.format].count)
        let nanoseconds = median(times[index])
        let ratios = yardsticks.map { yardstick -> String in
            guard let other = cases.firstIndex(where: { $0.name == yardstick }), cases[other].format == one.format
            else { return "" }
            // How many times as fast as the yardstick, round by round.
            return String(format: "%.2f", median(zip(times[other], times[index]).map { $0 / $1 }))
        }
        let speed = String(format: "%.2f", bytes / nanoseconds)
        print(row(one.name, [speed, String(format: "%.3f", nanoseconds / 1000 / spans)] + ratios))
    }
}

private func row(_ name: String, _ columns: [String]) -> String {
    ([name.padding(toLength: 38, withPad: " ", startingAt: 0)]
        + columns.map { String(repeating: " ", count: max(1, 20 - $0.count)) + $0 }).joined()
}

for name in ["backend100", "llm20", "one"] { measure(try Bodies(name, in: folder)) }

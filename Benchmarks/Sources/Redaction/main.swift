import Foundation

// Measures redaction: the scanner on texts, beside Hyperscan, and the whole of it on request bodies. CPU time of this thread, the best of
// the rounds. Usage: Redaction FOLDER [TEXTS]: FOLDER has the bodies of make_bodies.py; TEXTS is a file with a text a line,
// {"text": …}.

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// Nanoseconds of the best of several rounds.
private func best(_ rounds: Int, _ work: () -> Void) -> Double {
    (0..<rounds).map { _ in
        let start = threadTime()
        work()
        return threadTime() - start
    }.min() ?? 0
}

private func texts(_ path: String) throws -> [[UInt8]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return Array((object?["text"] as? String ?? "").utf8)
    }
}

/// The texts of the attributes of request bodies.
private func texts(of folder: String) throws -> [[UInt8]] {
    var batch = Batch()
    return try (0..<16).flatMap { number in
        let file = URL(filePath: folder).appending(path: "llm20-\(number).pb")
        try OTLPDecoder().decode(Data(contentsOf: file).withUnsafeBytes { Payload.copying($0) }, into: &batch)
        return batch.attributes.compactMap { attribute -> [UInt8]? in
            guard case .string(let text) = batch.value(of: attribute) else { return nil }
            return Array(text)
        }
    }
}

/// The scanner beside Hyperscan, by turns.
private func measureScanner(_ name: String, _ texts: [[UInt8]], _ hyperscan: borrowing Hyperscan) {
    let bytes = texts.joined() + [UInt8](repeating: 0, count: 16)
    var scanner = TextScanner(RedactionPreset.default.detectors)
    var (found, ended) = (0, 0)
    var (ours, theirs) = (Double.infinity, Double.infinity)
    bytes.withUnsafeBytes { all in
        func each(_ body: (UnsafeRawBufferPointer) -> Void) {
            var start = 0
            for text in texts {
                body(UnsafeRawBufferPointer(rebasing: all[start..<start + text.count]))
                start += text.count
            }
        }
        for _ in 0..<50 {
            // The first time after the other has had the caches counts for little.
            ours = min(ours, best(3) { found = 0; each { scanner.scan($0); found += scanner.findings.count } })
            theirs = min(theirs, best(3) { ended = 0; each { ended += hyperscan.scan($0) } })
        }
    }
    func rate(_ time: Double) -> String { String(format: "%.0f MB/s", Double(bytes.count) / time * 1000) }
    print(
        "scanner, \(name): \(bytes.count - 16) bytes in \(texts.count) texts, \(found) findings, \(rate(ours)); Hyperscan, "
            + "ends of what has the shape, \(ended) of them, \(rate(theirs)): " + String(format: "%.2f times", theirs / ours))
    var pass = RedactionPass(RedactionPolicy(), tokens)
    let key = KeyDecision(detectors: RedactionPreset.default.detectors)
    let whole = bytes.withUnsafeBytes { all in
        best(5) {
            var start = 0
            for text in texts {
                _ = pass.redact(UnsafeRawBufferPointer(rebasing: all[start..<start + text.count]), key)
                start += text.count
            }
        }
    }
    print("  redacted, JSON leaf by leaf: \(rate(whole))")
}

private let tokens = RedactionToken(
    hash: KeyedHash(key: Array("a key that is used for nothing else".utf8)), epoch: "1")

private func measureBodies(_ name: String, _ folder: String) throws {
    let payloads = try (0..<16).map {
        try Data(contentsOf: URL(filePath: folder).appending(path: "\(name)-\($0).pb")).withUnsafeBytes {
            Payload.copying($0)
        }
    }
    var batch = Batch()
    var encoder = OTLPEncoder()
    var pass = RedactionPass(RedactionPolicy(), tokens)
    var spans = 0
    func run(_ isRedacted: Bool) {
        spans = 0
        for payload in payloads {
            do { try OTLPDecoder().decode(payload, into: &batch) } catch { preconditionFailure("\(error)") }
            if isRedacted { pass.redact(&batch) }
            spans += encoder.bytes(of: batch).isEmpty ? 0 : batch.spanCount
        }
    }
    let repeats = name == "one" ? 200 : 10
    let without = best(15) { for _ in 0..<repeats { run(false) } } / Double(repeats)
    let with = best(15) { for _ in 0..<repeats { run(true) } } / Double(repeats)
    print(
        "\(name): \(payloads[0].count / max(1, spans / 16)) bytes a span; decode and encode "
            + String(format: "%.2f us a span, redaction %.2f more", without / Double(spans) / 1000, (with - without) / Double(spans) / 1000))
}

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
    print("usage: Redaction FOLDER [TEXTS]")
    exit(2)
}
for name in ["backend100", "llm20", "one"] { try measureBodies(name, arguments[1]) }
if let hyperscan = Hyperscan() {
    measureScanner("texts of the LLM bodies", try texts(of: arguments[1]), hyperscan)
    if arguments.count > 2 { measureScanner(arguments[2], try texts(arguments[2]), hyperscan) }
}

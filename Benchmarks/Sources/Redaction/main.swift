import Foundation

// Measures redaction: the scanner on texts, and the whole of it on request bodies. CPU time of this thread, the best of
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

private func measureScanner(_ path: String) throws {
    let texts = try texts(path)
    let bytes = texts.joined() + [UInt8](repeating: 0, count: 16)
    var scanner = TextScanner(.all)
    var found = 0
    let time = bytes.withUnsafeBytes { all in
        best(15) {
            found = 0
            var start = 0
            for text in texts {
                scanner.scan(UnsafeRawBufferPointer(rebasing: all[start..<start + text.count]))
                found += scanner.findings.count
                start += text.count
            }
        }
    }
    print(
        "scanner: \(bytes.count - 16) bytes in \(texts.count) texts, \(found) findings, "
            + String(format: "%.0f MB/s", Double(bytes.count) / time * 1000))
    var pass = RedactionPass(RedactionPolicy(), tokens)
    let key = KeyDecision(detectors: .all)
    let whole = bytes.withUnsafeBytes { all in
        best(5) {
            var start = 0
            for text in texts {
                _ = pass.redact(UnsafeRawBufferPointer(rebasing: all[start..<start + text.count]), key)
                start += text.count
            }
        }
    }
    print("texts redacted, JSON leaf by leaf: " + String(format: "%.0f MB/s", Double(bytes.count) / whole * 1000))
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
if arguments.count > 2 { try measureScanner(arguments[2]) }

import CEncryption
import Foundation

// What encrypting a field costs in the pipeline, its text and the lookups of keys included, beside a loop in C over the
// same calls of OpenSSL that writes the same text. CPU time of this thread, the medians of the rounds, the two in turn.

private func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

// usage: Encryption [BYTES...]

private let fields = 100
private let rounds = 200
private let sizes = CommandLine.arguments.dropFirst().compactMap { Int($0) }

/// A request of spans with one field of this size each, and two others.
private func request(_ size: Int) -> Payload {
    var writer = ReverseWriter(capacity: 1 << 20)
    let text = String(repeating: "what a model was asked ", count: size / 23 + 1).prefix(size)
    for index in 0..<fields {
        let end = writer.count
        for (key, value) in [("http.route", "/orders"), ("app.secret", String(text)), ("gen_ai.response.model", "m-4")]
        {
            var list = ReverseWriter(capacity: 64)
            list.writeList([NewPair(key: key, value: .string(value))])
            var found = FieldReader(list.written)
            if let field = found.next() { writer.field(Tag.attributes, field.body) }
        }
        writer.identifier(Tag.spanID, UInt64(index + 1))
        writer.identifier(Tag.traceID, high: 1, low: 2)
        writer.close(Tag.spans, writer.count - end)
    }
    writer.close(Tag.scopeSpans, writer.count)
    writer.close(Tag.resourceSpans, writer.count)
    return .copying(writer.written)
}

Heap.configure()
guard let loop = weir_encryption_loop_new() else { fatalError("OpenSSL gives no AES-256") }
for suite in CipherSuite.allCases {
    guard let ring = Keyring(suite) else { fatalError("OpenSSL gives no randomness") }
    var policy = EncryptionPolicy()
    policy.fields = [KeyPattern("app.*"), KeyPattern("gen_ai.input.messages")]
    policy.suite = suite
    var pass = EncryptionPass(policy, ring)
    var batch = Batch()
    for size in sizes.isEmpty ? [64, 512, 4096, 65_536] : sizes {
        let payload = request(size)
        var times: [(swift: Double, c: Double)] = []
        for _ in 0..<rounds {
            try OTLPDecoder().decode(payload, into: &batch)
            var start = threadTime()
            try pass.encrypt(&batch)
            let swift = threadTime() - start
            try OTLPDecoder().decode(payload, into: &batch)
            start = threadTime()
            weir_encryption_loop_begin(loop, payload.count / 2 * 3 + 100 * fields)
            let done = batch.spans.indices.reduce(0) { count, index in
                let value = batch.bytes(batch.attributes[batch.spans[index].attributes.indices.lowerBound + 1].valueRef)
                return count
                    + Int(weir_encryption_loop_seal(loop, suite == .xaes256gcm ? 1 : 0, value.baseAddress, value.count))
            }
            times.append((swift, threadTime() - start))
            precondition(done == fields && pass.takeCounts().encrypted == fields)
        }
        // Of pairs: the processor has not the same clock all the time.
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        let own = median(times.map(\.swift)) / Double(fields)
        let other = median(times.map(\.c)) / Double(fields)
        let ratio = median(times.map { $0.swift / $0.c })
        print(
            "\(suite.name) \(size) B: \(String(format: "%.3f", own / 1e3)) µs a field, C loop "
                + "\(String(format: "%.3f", other / 1e3)) µs, ratio \(String(format: "%.2f", ratio))")
    }
}

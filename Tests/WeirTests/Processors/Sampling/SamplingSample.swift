@testable import Weir

/// What a sampler made of spans.
struct SamplingSample {
    /// A span of the batch: whether it was kept, and what then is said of it, as whoever receives it reads it.
    struct Fate: Equatable {
        var isKept: Bool
        var traceState = ""
        var rule: String?
        /// See ``Batch/adjustedCount(of:)``.
        var adjustedCount: Double?
    }

    /// Runs a batch through a sampler.
    static func run<P: Processor>(
        _ processor: inout P, on spans: [SpanFixture], at now: UInt64 = SpanFixture().startTime
    ) throws -> [Fate] {
        var batch = try SpanFixture.batch(spans)
        batch.receivedAt = Timestamp(nanoseconds: now)
        try processor.process(&batch)
        var kept: [Fate] = []
        let exported = try Batch(decoding: batch.encoded)
        for span in exported.spans {
            var fate = Fate(isKept: true, traceState: exported.text(span.traceState))
            if case .string(let rule)? = exported.value(of: Batch.samplingRule, in: span.attributes) {
                fate.rule = String(decoding: rule, as: UTF8.self)
            }
            fate.adjustedCount = exported.adjustedCount(of: span)
            kept.append(fate)
        }
        return batch.spans.map { $0.isDropped ? Fate(isKept: false) : kept.removeFirst() }
    }

    /// Spans with random trace ids.
    static func spans(_ count: Int, using random: inout SplitMix64) -> [SpanFixture] {
        (0..<count).map { _ in
            var span = SpanFixture()
            span.traceID = (random.next(), random.next())
            return span
        }
    }
}

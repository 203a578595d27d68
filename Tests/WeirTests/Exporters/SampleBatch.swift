@testable import Weir

/// Batches for the exporters, with as little in them as they look at.
enum SampleBatch {
    static let hour: UInt64 = 3_600_000_000_000
    /// 2026-02-03T04:00:00Z
    static let fourOClock: UInt64 = 1_770_091_200_000_000_000

    /// One resource, one scope and a span for each pair of span id and start time.
    static func payload(_ spans: [(id: UInt64, start: UInt64)], padding: Int = 0) -> Payload {
        Message { request in
            request.message(Tag.resourceSpans) { resource in
                resource.message(Tag.resource) { resource in
                    resource.attribute(Tag.resourceAttributes, "service.name") { $0.text(Tag.stringValue, "shop") }
                }
                resource.message(Tag.scopeSpans) { scope in
                    scope.message(Tag.scope) { $0.text(Tag.scopeName, "tests") }
                    for span in spans { scope.message(Tag.spans) { write(span, padding, to: &$0) } }
                }
            }
        }.payload
    }

    /// - Parameter received: when; nil at four o'clock, or where the first span started, if that is days later.
    static func record(
        _ spans: [(id: UInt64, start: UInt64)], tenant: String = "default", sequence: UInt64 = 1, padding: Int = 0,
        received: UInt64? = nil
    ) -> JournalRecord {
        let later = fourOClock + 24 * hour...fourOClock + 3_000 * 24 * hour
        let start = spans.first.map(\.start).flatMap { later.contains($0) ? $0 : nil }
        return JournalRecord(
            sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: received ?? start ?? fourOClock),
            spanCount: spans.count, payload: payload(spans, padding: padding))
    }

    /// One record of spans that all start in the same hour.
    static func batch(_ ids: ClosedRange<UInt64>, start: UInt64 = fourOClock, padding: Int = 0) -> FrozenBatch {
        FrozenBatch(records: [record(ids.map { ($0, start) }, padding: padding)])
    }

    /// - Parameter padding: bytes that no compressor makes smaller by much.
    private static func write(_ span: (id: UInt64, start: UInt64), _ padding: Int, to message: inout Message) {
        message.identifier(Tag.traceID, 1, span.id)
        message.identifier(Tag.spanID, span.id)
        message.text(Tag.name, "span \(span.id)")
        message.fixed64(Tag.startTime, span.start)
        message.fixed64(Tag.endTime, span.start &+ 1)
        guard padding > 0 else { return }
        var random = SplitMix64(seed: span.id)
        message.attribute(Tag.attributes, "padding") { value in
            value.data(Tag.bytesValue, (0..<padding).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }
}

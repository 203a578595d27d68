import Testing

@testable import Weir

struct ResourceLookupsTests {
    private let last = AttributeKey("k99")
    private let absent = AttributeKey("absent")

    @Test func aLargeResourceIsLookedThroughOnceForAllItsSpans() throws {
        let batch = try Self.batch(attributes: 100, spans: 50)
        let before = StepCounter.steps
        for span in batch.spans {
            try #require(text(last, span, batch) == "v99" && text(absent, span, batch) == nil)
        }
        #expect(StepCounter.steps - before == 2)
    }

    @Test func whatIsRememberedGoesWithAChange() throws {
        var batch = try Self.batch(attributes: 100, spans: 1)
        #expect(text(last, batch.spans[0], batch) == "v99" && text(absent, batch.spans[0], batch) == nil)
        batch.set(absent, to: batch.store(.string("here")), of: .resource(0))
        #expect(text(last, batch.spans[0], batch) == "v99" && text(absent, batch.spans[0], batch) == "here")
        batch.remove(last, of: .resource(0))
        #expect(text(last, batch.spans[0], batch) == nil && text(absent, batch.spans[0], batch) == "here")
        batch = try Self.batch(attributes: 100, spans: 1)
        #expect(text(last, batch.spans[0], batch) == "v99")
    }

    private func text(_ key: AttributeKey, _ span: SpanRecord, _ batch: borrowing Batch) -> String? {
        guard case .string(let text)? = batch.resourceValue(of: key, for: span) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// One resource, with attributes `k0` and so on.
    private static func batch(attributes: Int, spans: Int) throws -> Batch {
        let pairs = (0..<attributes).map { #"{"key":"k\#($0)","value":{"stringValue":"v\#($0)"}}"# }
        let span = #"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}"#
        let request = """
            {"resourceSpans":[{"resource":{"attributes":[\(pairs.joined(separator: ","))]},
            "scopeSpans":[{"spans":[\(Array(repeating: span, count: spans).joined(separator: ","))]}]}]}
            """
        var batch = Batch()
        try Array(request.utf8).withUnsafeBytes { try OTLPJSONDecoder().decode(.copying($0), into: &batch) }
        return batch
    }
}

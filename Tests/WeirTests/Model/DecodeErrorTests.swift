import Testing

@testable import Weir

/// Requests that are refused as a whole.
struct DecodeErrorTests {
    @Test func refusesAFrameThatIsBroken() {
        expectMalformed([0x0A], "ExportTraceServiceRequest", offset: 0)
        expectMalformed([0x0A, 5, 1], "ExportTraceServiceRequest", offset: 0)
        expectMalformed([0x0A, 0, 0x0B, 0x0C], "ExportTraceServiceRequest", offset: 2)
        expectMalformed([0x80], "ExportTraceServiceRequest", offset: 0)
        expectMalformed([0x00, 0x00], "ExportTraceServiceRequest", offset: 0)
        expectMalformed([0x0A, 2, 0x12, 7], "ResourceSpans", offset: 2)
        expectMalformed([0x0A, 4, 0x0A, 2, 0x0A, 9], "Resource", offset: 4)
        expectMalformed([0x0A, 4, 0x12, 2, 0x12, 9], "ScopeSpans", offset: 4)
        expectMalformed([0x0A, 6, 0x12, 4, 0x0A, 2, 0x0A, 9], "InstrumentationScope", offset: 6)
        expectMalformed(Array("{\"resourceSpans\":[]}".utf8), "ExportTraceServiceRequest", offset: 0)
    }

    @Test(arguments: [1 << 14, 1 << 16, 1 << 18])
    func refusesWhatDecodesToMoreThanTheLimit(limit: Int) throws {
        let span: [UInt8] = [0x0A, 16] + Array(1...16) + [0x12, 8] + Array(1...8)
        let many = { (field: [UInt8], size: Int) in
            Array([[UInt8]](repeating: field, count: 2 * limit / size).joined())
        }
        let attributes = many([0x4A, 0], MemoryLayout<AttributeRecord>.stride)
        let events = many([0x5A, 0], MemoryLayout<EventRecord>.stride)
        let links = many([0x6A, 0], MemoryLayout<LinkRecord>.stride)
        for span in [span + attributes, span + events, span + links] {
            expectTooLarge(Trace.request(spans: [span]), limit: limit)
        }
        let spans = [[UInt8]](repeating: span, count: 2 * limit / MemoryLayout<SpanRecord>.stride)
        expectTooLarge(Trace.request(spans: spans), limit: limit)
        expectTooLarge(many([0x0A, 0], MemoryLayout<ResourceRecord>.stride), limit: limit)
        let scopes = many([0x12, 0], MemoryLayout<ScopeRecord>.stride)
        expectTooLarge([0x0A] + Trace.delimited(scopes), limit: limit)
        // Two parts of a resource are joined in the side buffer; what does not fit there must not be read.
        let half = [0x0A] + Trace.delimited(many([0x0A, 2, 0x0A, 0], 4))
        expectTooLarge([0x0A] + Trace.delimited(half + half + half), limit: limit)
        let unknown = many([0xFA, 0x01, 1, 0x61], 2)
        expectTooLarge([0x0A] + Trace.delimited([0x0A] + Trace.delimited(unknown)), limit: limit)
    }

    @Test func takesTheNextRequestAfterOneThatWasTooLarge() throws {
        var batch = Batch(decodedLimit: 4096)
        let large = Payload.copying([UInt8]((0..<4096).flatMap { _ in [0x0A, 0] as [UInt8] }))
        #expect(throws: DecodeError.tooLarge) { try OTLPDecoder().decode(large, into: &batch) }
        try OTLPDecoder().decode(.copying(Trace(RandomTrace.plainSpan).encoded), into: &batch)
        #expect(batch.spanCount == 1)
        let isOverfull = batch.isOverfull
        #expect(!isOverfull)
    }

    /// Reading the merged message again with each part would take many minutes here.
    @Test(.hangLimit)
    func readsAResourceInManyPartsInLinearTime() throws {
        let parts = [[UInt8]](repeating: [0x0A, 2, 0x10, 5], count: 200_000).flatMap { $0 }
        let batch = try Batch(decoding: [0x0A] + Trace.delimited(parts))
        #expect(batch.resources[0].droppedAttributes == 5)
        let scopeParts = [[UInt8]](repeating: [0x0A, 2, 0x20, 6], count: 200_000).flatMap { $0 }
        let scoped = try Batch(decoding: [0x0A] + Trace.delimited([0x12] + Trace.delimited(scopeParts)))
        #expect(scoped.scopes[0].droppedAttributes == 6)
    }

    private func expectMalformed(
        _ bytes: [UInt8], _ message: String, offset: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let what = "\(message): a field breaks off or has an unknown wire type"
        #expect(throws: DecodeError.malformed(what, offset: offset), sourceLocation: sourceLocation) {
            _ = try Batch(decoding: bytes)
        }
        #expect(OracleRequest(bytes) == nil, sourceLocation: sourceLocation)
    }

    private func expectTooLarge(_ bytes: [UInt8], limit: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: DecodeError.tooLarge, sourceLocation: sourceLocation) {
            var batch = Batch(decodedLimit: limit)
            try OTLPDecoder().decode(.copying(bytes), into: &batch)
        }
    }
}

import Testing

@testable import Weir

/// `batch` and `memory_limiter`: files of the OpenTelemetry Collector load, and nothing happens.
@Suite struct IdleProcessorTests {
    private func check<P: Processor>(
        _ type: P.Type, _ yaml: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let payload = SpanFixture.request([SpanFixture()])
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        var processor = try ProcessorFixture<P>(yaml).processor
        try processor.process(&batch)
        #expect(batch.arena.pointee.isVerbatim == true, sourceLocation: location)
        #expect(batch.spanCount == 1, sourceLocation: location)
        #expect(P.note?.hasPrefix("accepted and does nothing") == true, sourceLocation: location)
    }

    @Test func acceptsEveryKeyOfBatch() throws {
        try check(BatchProcessor.self, "{}")
        try check(
            BatchProcessor.self,
            """
            timeout: 10s
            send_batch_size: 1000
            send_batch_max_size: 2000
            metadata_keys: [tenant]
            metadata_cardinality_limit: 10
            """)
    }

    @Test func acceptsEveryKeyOfMemoryLimiter() throws {
        try check(MemoryLimiterProcessor.self, "limit_mib: 512")
        try check(
            MemoryLimiterProcessor.self,
            """
            check_interval: 1s
            limit_mib: 4000
            spike_limit_mib: 800
            limit_percentage: 75
            spike_limit_percentage: 20
            min_gc_interval_when_soft_limited: 5s
            min_gc_interval_when_hard_limited: 1s
            """)
    }

    @Test func stillRefusesOtherKeys() {
        #expect(
            ProcessorFixture<BatchProcessor>.problems("send_batch_siz: 5").first?.contains("is not a known key") == true
        )
        #expect(
            ProcessorFixture<MemoryLimiterProcessor>.problems("limit_mib: lots").first?
                .hasPrefix("1: limit_mib: found the string \"lots\"") == true)
    }
}

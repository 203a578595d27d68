import Testing

@testable import Weir

/// What comes after a tombstone.
@Suite struct ErasureViewTests {
    private let directory: TemporaryDirectory
    private let metrics = MetricRegistry()

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func anExporterSeesNothingOfASubject() async throws {
        let tombstones = try await erased()
        let records = try ErasureSample.records()
        let seen = try await ErasureView(tombstones, ErasureTelemetry(metrics)).view(FrozenBatch(records: records))
        #expect(seen.records.map(\.sequence) == [1, 2, 3, 4])
        #expect(seen.records.map(\.spanCount) == [0, 2, 0, 1])
        #expect(seen.spanNames == ["span 3", "span 4", "span 7"])
        #expect(metrics.render().contains(#"weir_erasure_dropped_spans{tenant="default"} 4"#))
        // The traces are known from now on, so that late spans of them are not stored.
        let group = try #require(tombstones.snapshot.subjects.all.first)
        #expect(group.traces == ErasureSample.traces)
    }

    @Test func otherTenantsAreLeftAlone() async throws {
        let tombstones = try await erased()
        let record = try #require(try ErasureSample.records().first)
        let other = JournalRecord(
            sequence: 1, tenant: "other", receivedAt: record.receivedAt, spanCount: 2, payload: record.payload)
        let seen = try await ErasureView(tombstones, ErasureTelemetry(metrics)).view(FrozenBatch(records: [other]))
        #expect(seen.records[0].spanCount == 2)
    }

    @Test func nothingOfASubjectGetsIntoAPipeline() async throws {
        let tombstones = try await erased()
        let context = Context(id: ComponentID(type: "traces"), logger: LogCapture().logger, metrics: metrics)
        var processor = ErasureProcessor(
            ErasureProcessor.Configuration(tombstones, ErasureTelemetry(metrics)), context)
        var batch = Batch()
        var left: [UInt64] = []
        for record in try ErasureSample.records() {
            try OTLPDecoder().decode(record.payload, into: &batch)
            batch.tenant = "default"
            processor.process(&batch)
            left += batch.spans.filter { !$0.isDropped }.map(\.spanID)
        }
        #expect(left == ErasureSample.left)
        #expect(metrics.render().contains(#"weir_erasure_dropped_spans{tenant="default"} 4"#))
    }

    @Test func usageOfSpansThatWereSampledOutGoesToo() async throws {
        let tombstones = try await erased()
        var batch = Batch()
        try OTLPDecoder().decode(try ErasureSample.records()[0].payload, into: &batch)
        for index in batch.spans.indices { batch.sampleOut(span: index) }
        var encoder = SampledOutEncoder()
        let content = try #require(encoder.encode(batch).map { Array($0) })
        var section = RecordSection()
        content.withUnsafeBytes { section.add(.sampledOut, $0) }
        let record = JournalRecord(
            sequence: 1, tenant: "default", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock), spanCount: 0,
            payload: .empty, section: section)
        let seen = try await ErasureView(tombstones, ErasureTelemetry(metrics)).view(FrozenBatch(records: [record]))
        #expect(try seen.records[0].decodeSampledOut(into: &batch))
        #expect(batch.spanCount == 0)
        // What two spans did in a minute stays.
        let value = try #require(seen.records[0].section.value(of: .sampledOut))
        #expect(try value.withUnsafeBytes { try SampledOut.spanCount(in: $0) } == 2)
    }

    private func erased() async throws -> Tombstones {
        var register = try ErasureRegister(directory.path)
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: Timestamp(nanoseconds: 1)) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
            return entry
        }
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        return tombstones
    }
}

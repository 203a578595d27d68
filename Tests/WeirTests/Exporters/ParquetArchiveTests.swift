import Foundation
import Testing

@testable import Weir

/// The archive as Parquet: when its files are there, and what comes of those that a process left half-done. What is in
/// them is read by others, in `test_parquet.py`.
@Suite struct ParquetArchiveTests {
    private let directory: TemporaryDirectory
    private let open: String
    private let partition = "tenant=default/date=2026-02-03/hour=04"

    init() throws {
        directory = try TemporaryDirectory()
        open = "\(directory.path)/.open/0000000000000007"
    }

    @Test func publishesSpansAndUsageAndAManifestTogether() async throws {
        let archive = try sample()
        try await archive.exporter.export(batch(1...3))
        #expect(archive.published == [])
        #expect(await archive.exporter.settled(through: 3) == 0)
        await archive.exporter.settle()
        let name = "20260203T040000Z-0000000000000007-00000000000000000001-00000000000000000003.parquet"
        let trees = ["llm_usage", "span_rollup_daily", "spans"]
        #expect(archive.published == trees.map { "\($0)/\(partition)/\(name)" })
        #expect(archive.open == [])
        #expect(await archive.exporter.settled(through: 3) == 3)
        let manifest = try #require(try archive.manifests.first)
        #expect(manifest.files.map(\.dataset) == [.spans, .usage, .rollups])
        #expect(Set(manifest.files.map(\.path)) == Set(archive.published))
        #expect(manifest.files.map(\.rows) == [6, 3, 2])
        #expect(manifest.spans.sequences == 1...3 && manifest.spans.records == 3 && manifest.spans.spans == 6)
        #expect(manifest.spans.times == SampleBatch.fourOClock...SampleBatch.fourOClock + 2)
        for file in manifest.files {
            let bytes = try directory.contents(of: file.path)
            #expect(file.bytes == bytes.count)
            #expect(file.sha256 == ArchiveManifest.digits(Digest.sha256(bytes)))
            #expect(bytes.starts(with: "PAR1".utf8) && bytes.suffix(4).elementsEqual("PAR1".utf8))
        }
    }

    @Test func makesNoUsageFileWithoutCalls() async throws {
        let archive = try sample()
        try await archive.exporter.export(
            FrozenBatch(records: [SampleBatch.record([(1, SampleBatch.fourOClock)])]))
        await archive.exporter.finish()
        #expect(archive.published.count == 2)
        #expect(try archive.manifests.map { $0.files.map(\.dataset) } == [[.spans, .rollups]])
    }

    @Test func chainsTheManifests() async throws {
        for sequence in 1...4 as ClosedRange<UInt64> {
            let archive = try sample()
            try await archive.exporter.export(batch(sequence...sequence))
            await archive.exporter.finish()
        }
        let files = directory.files().filter { $0.hasSuffix(".manifest.json") }
        let hashes = try files.map { ArchiveManifest.digits(Digest.sha256(try directory.contents(of: $0))) }
        let manifests = try sample().manifests
        #expect(manifests.map(\.number) == [1, 2, 3, 4])
        #expect(manifests.map(\.previous) == [nil] + hashes.dropLast().map(Optional.init))
    }

    @Test func leavesOutWhatAnEarlierRunPublished() async throws {
        try await published(1...2)
        let archive = try sample()
        try await archive.exporter.export(batch(1...3, recovered: 2))
        await archive.exporter.finish()
        #expect(try archive.manifests.map(\.spans.sequences) == [1...2, 3...3])
        #expect(archive.metrics.render().contains(#"weir_archive_spans_not_repeated{exporter="archive"} 4"#))
    }

    /// What a start finds may be of another format, and merged.
    @Test(arguments: [false, true]) func leavesOutWhatAnEarlierRunPublishedAsOTLP(isMerged: Bool) async throws {
        let earlier = try ArchiveSample("format: otlp_proto", in: directory)
        for sequence in 1...2 as ClosedRange<UInt64> {
            try await earlier.exporter.export(batch(sequence...sequence))
            await earlier.exporter.settle()
        }
        await earlier.exporter.finish()
        if isMerged {
            let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)
            let outcome = try ArchiveCompaction(
                ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection()),
                CompactionRules(after: .zero, target: 1 << 20), nil
            ).run(at: later)
            #expect(outcome.made == 1)
        }
        let archive = try sample()
        try await archive.exporter.export(batch(1...3, recovered: 2))
        await archive.exporter.finish()
        #expect(try archive.manifests.map(\.spans.sequences).contains(3...3))
        #expect(archive.metrics.render().contains(#"weir_archive_spans_not_repeated{exporter="archive"} 4"#))
    }

    @Test func completesWhatAnEarlierRunPublishedInPart() async throws {
        try await published(1...2)
        let before = directory.files()
        try unpublish(isFirstThere: true)
        let archive = try sample()
        try await archive.exporter.export(batch(1...2, recovered: 2))
        #expect(directory.files() == before)
        #expect(await archive.exporter.settled(through: 2) == 2)
        try await archive.exporter.export(batch(3...3))
        await archive.exporter.finish()
        #expect(try archive.manifests.map(\.number) == [1, 2])
    }

    @Test func forgetsWhatAnEarlierRunWasAboutToPublish() async throws {
        try await published(1...2)
        try unpublish(isFirstThere: false)
        try FileManager.default.removeItem(atPath: "\(directory.path)/.chain/0000000000000007")
        let archive = try sample()
        try await archive.exporter.export(batch(1...2, recovered: 2))
        await archive.exporter.finish()
        #expect(try archive.manifests.map(\.number) == [1])
        #expect(archive.published.count == 3)
        #expect(archive.metrics.render().contains(#"weir_archive_spans_not_repeated{exporter="archive"} 0"#))
    }

    @Test func takesABatchBackThatFails() async throws {
        let archive = try sample()
        try await archive.exporter.export(batch(1...1))
        let broken = JournalRecord(
            sequence: 3, tenant: "default", receivedAt: archive.clock.now, spanCount: 1,
            payload: [0x0A, 0xFF].withUnsafeBytes { Payload.copying($0) })
        await #expect(throws: ExportError.self) {
            try await archive.exporter.export(FrozenBatch(records: batch(2...2).records + [broken]))
        }
        try await archive.exporter.export(batch(2...2))
        await archive.exporter.finish()
        #expect(try archive.manifests.map(\.spans.spans) == [4])
        #expect(try archive.manifests.first?.files.map(\.rows) == [4, 2, 2])
    }

    @Test func triesAgainWhenThereIsNoRoomForTheRows() async throws {
        let archive = try sample()
        try await archive.exporter.export(batch(1...1))
        let obstacle = "\(open)/20260203T040000Z-000001.llm_usage.parquet.open"
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        await archive.exporter.settle()
        #expect(archive.published == [])
        #expect(await archive.exporter.settled(through: 1) == 0)
        try FileManager.default.removeItem(atPath: obstacle)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(archive.published.count == 3 && archive.open == [])
    }

    @Test func keepsRecordsUnsettledWhoseFileIsGone() async throws {
        let archive = try sample()
        try await archive.exporter.export(batch(1...1))
        // The rows are written, but not yet published.
        let obstacle = "\(open)/20260203T040000Z-000001.bloom.open"
        try FileManager.default.createDirectory(atPath: "\(obstacle)/x", withIntermediateDirectories: true)
        await archive.exporter.settle()
        #expect(archive.published == [])
        try FileManager.default.removeItem(atPath: obstacle)
        try FileManager.default.removeItem(atPath: "\(open)/20260203T040000Z-000001.parquet.open")
        await archive.exporter.tick(at: archive.clock.now)
        #expect(archive.published == [])
        #expect(await archive.exporter.settled(through: 1) == 0)
        #expect(archive.metrics.render().contains(#"weir_archive_files_abandoned{exporter="archive"} 1"#))
    }

    @Test func writesARowGroupWhenItIsFullOrTriesAgain() async throws {
        let archive = try sample()
        var prompt = SpanFixture()
        prompt.startTime = SampleBatch.fourOClock
        prompt.attributes = [NewPair(key: "prompt", value: .string(String(repeating: "a", count: 4 << 20)))]
        let payload = SpanFixture.request([prompt])
        let obstacle = "\(open)/20260203T040000Z-000001.parquet.open"
        for sequence in 1...40 as ClosedRange<UInt64> {
            let record = JournalRecord(
                sequence: sequence, tenant: "default", receivedAt: archive.clock.now, spanCount: 1, payload: payload)
            let batch = FrozenBatch(journal: JournalID(value: 7), records: [record], recoveredThrough: 0)
            if sequence == 17 {
                try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
                await #expect(throws: ExportError.self) { try await archive.exporter.export(batch) }
                try FileManager.default.removeItem(atPath: obstacle)
            }
            // Of the spans, and of the sums of their day.
            #expect(archive.open.count == (sequence <= 17 ? 0 : 2))
            try await archive.exporter.export(batch)
        }
        await archive.exporter.finish()
        #expect(try ArchiveContents.problems(directory.path) == [])
        let spans = try #require(archive.published.first { $0.hasPrefix("spans/") })
        let reader = try ParquetReader("\(directory.path)/\(spans)")
        #expect(reader.groups.map(\.rows) == [16, 16, 8])
        let sequences = try reader.groups.flatMap { group in
            let values = try reader.values(of: "seq", in: group)
            return (0..<group.rows).map { values.number($0) }
        }
        #expect(sequences == (1...40).map { $0 })
    }

    @Test func putsAWrongClockAtTheEdgeOfWhatIsPossible() async throws {
        let archive = try sample()
        let spans: [(id: UInt64, start: UInt64)] = [(1, 0), (2, SampleBatch.fourOClock), (3, .max)]
        try await archive.exporter.export(
            FrozenBatch(records: [SampleBatch.record(spans, received: SampleBatch.fourOClock)]))
        await archive.exporter.finish()
        let days = archive.published.filter { $0.hasPrefix("spans/") }.map { String($0.dropFirst(21).prefix(23)) }
        #expect(days == ["date=2026-01-04/hour=00", "date=2026-02-03/hour=04", "date=2026-02-04/hour=00"])
    }

    @Test func keepsATenantInItsDirectory() async throws {
        let archive = try sample()
        for (sequence, tenant) in zip(1..., ["..", "a/../../b", ".", "", String(repeating: "ä", count: 500)]) {
            let record = SampleBatch.record(
                [(UInt64(sequence), SampleBatch.fourOClock)], tenant: tenant, sequence: UInt64(sequence))
            try await archive.exporter.export(FrozenBatch(records: [record]))
        }
        await archive.exporter.finish()
        let names = archive.published.map { $0.split(separator: "/")[1] }
        #expect(
            Set(names.map { String($0.prefix(30)) }) == [
                "tenant=%2E.", "tenant=a%2F..%2F..%2Fb", "tenant=%2E", "tenant=__HIVE_DEFAULT_PARTITIO",
                "tenant=%C3%A4%C3%A4%C3%A4%C3%A",
            ])
        #expect(names.allSatisfy { $0.utf8.count < 255 })
        #expect(try archive.manifests.map(\.tenant).contains("a/../../b"))
    }

    @Test func eventsOfWebPagesHaveRowsOfTheirOwn() async throws {
        let archive = try sample()
        for (number, scope) in zip((1 as UInt64)..., ["weir.beacon", "other"]) {
            let json =
                #"{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"\#(scope)"},"spans":[{"#
                + #""traceId":"\#(String(repeating: "a", count: 32))","spanId":"00000000000000\#(number)f","#
                + #""name":"page.view","startTimeUnixNano":"START","endTimeUnixNano":"START","attributes":["#
                + #"{"key":"weir.event.version","value":{"intValue":"3"}},{"key":"browser.origin","value":"#
                + #"{"stringValue":"https://shop.example"}},{"key":"session.id","value":{"stringValue":"s1"}},"#
                + #"{"key":"user.id","value":{"stringValue":"maria-4711"}}]}]}]}]}"#
            try await archive.exporter.export(
                FrozenBatch(records: [try SampleBatch.record(json: json, sequence: number)]))
            await archive.exporter.settle()
        }
        let file = try #require(archive.published.first { $0.hasPrefix("telemetry_events/") })
        #expect(archive.published.filter { $0.hasPrefix("telemetry_events/") } == [file])
        #expect(try archive.manifests.map(\.files.count) == [3, 2])
        #expect(try row(of: file) == ["000000000000001f", "page.view", "s1", "https://shop.example", "3"])
        #expect(try ArchiveContents.problems(directory.path) == [])
        // Merged, and then erased, it goes with its span.
        let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        #expect(try ArchiveContents.compact(directory.path, rules, nil, at: later).merged == 2)
        let merged = try #require(archive.published.first { $0.hasPrefix("telemetry_events/") })
        #expect(try row(of: merged).first == "000000000000001f")
        let erasure = try #require(try ArchiveErasure(directory.path))
        let traces = try erasure.traces(of: ErasureSample.matcher())
        #expect(try erasure.erase(ErasureSample.matcher(), traces: traces, at: later).spans == 2)
        #expect(try ParquetReader("\(directory.path)/\(merged)").groups.reduce(0) { $0 + $1.rows } == 0)
    }

    private func row(of file: String) throws -> [String] {
        let reader = try ParquetReader("\(directory.path)/\(file)")
        let group = try #require(reader.groups.first)
        #expect(reader.groups.count == 1 && group.rows == 1)
        return try ["event_id", "name", "session_id", "source", "schema_version"].map { name in
            let values = try reader.values(of: name, in: group)
            return values.text(0).map { String(decoding: $0, as: UTF8.self) } ?? "\(values.number(0) ?? -1)"
        }
    }

    private func sample() throws -> ArchiveSample { try ArchiveSample("format: parquet", in: directory) }

    /// Records of two spans each, one of them the call of a model.
    private func batch(_ sequences: ClosedRange<UInt64>, recovered: UInt64 = 0) -> FrozenBatch {
        let records = sequences.map { sequence in
            var span = SpanFixture()
            span.startTime = SampleBatch.fourOClock + sequence - 1
            span.endTime = span.startTime + 1_000
            var call = span
            call.attributes = [
                NewPair(key: "gen_ai.operation.name", value: .string("chat")),
                NewPair(key: "gen_ai.usage.input_tokens", value: .int(7)),
            ]
            return JournalRecord(
                sequence: sequence, tenant: "default", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock),
                spanCount: 2, payload: SpanFixture.request([span, call]))
        }
        return FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: recovered)
    }

    private func published(_ sequences: ClosedRange<UInt64>) async throws {
        let archive = try sample()
        try await archive.exporter.export(batch(sequences))
        await archive.exporter.settle()
    }

    /// Puts things as they are after a process died while it published.
    private func unpublish(isFirstThere: Bool) throws {
        let stem = "\(open)/20260203T040000Z-000001"
        for file in directory.files() {
            let path = "\(directory.path)/\(file)"
            let name: String? =
                if file.hasSuffix(".manifest.json") {
                    "\(stem).manifest.json.open"
                } else if file.hasSuffix(".bloom") {
                    "\(stem).bloom.open"
                } else if file.hasPrefix("llm_usage/") {
                    "\(stem).llm_usage.parquet.open"
                } else if file.hasPrefix("span_rollup_daily/") {
                    "\(stem).span_rollup_daily.parquet.open"
                } else if file.hasPrefix("spans/"), !isFirstThere {
                    "\(stem).parquet.open"
                } else {
                    nil
                }
            if let name { try FileManager.default.moveItem(atPath: path, toPath: name) }
        }
    }
}

import Foundation
import Testing

@testable import Weir

/// The sums of a day that an archive of Parquet has beside its spans.
@Suite struct DailyRollupsTests {
    private typealias Record = SampledOutRecord

    private static let numbers = [
        "spans", "errors", "duration_ns", "input_tokens", "output_tokens", "total_cost", "unpriced",
    ]
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func aDayIsSummedUpByOperation() async throws {
        var failed = Record.span(4)
        (failed.status, failed.endTime) = (2, failed.startTime - 1)
        var unpriced = Record.call(5)
        unpriced.attributes.removeAll { $0.key == "weir.cost.total" }
        let spans = [Record.call(1), Record.call(2), Record.span(3), failed, unpriced]
        try await export([Record.make(spans, out: [])])
        #expect(
            try sums() == [
                "shop GET /users - other 2 | 2 1 1000000 0 0 0 0",
                "shop chat m-1 llm 2 | 3 0 3000000 300 0 1000000000000 1",
            ])
        #expect(try files().map { $0.reader.columns.map(\.name) } == [DailyRollups.columns.map(\.name)])
    }

    @Test func itIsTheSameHoweverMuchSamplingLeavesOut() async throws {
        var answers: Set<[String]> = []
        for out in [[], [0], [0, 1, 2, 3], [1, 2]] as [Set<Int>] {
            let place = try TemporaryDirectory()
            let spans = [Record.call(1), Record.call(2), Record.span(3), Record.span(4)]
            try await export([Record.make(spans, out: out)], to: place)
            answers.insert(try sums(of: place))
            let manifest = try #require(try manifests(of: place).first)
            #expect(manifest.spans.spans == 4 - out.count && manifest.spans.records == (out.count < 4 ? 1 : 0))
            #expect(manifest.files.first?.rows == 4 - out.count)
            #expect(try ArchiveContents.problems(place.path) == [])
        }
        #expect(answers.count == 1 && answers.first?.count == 2, "\(answers)")
    }

    @Test func whatWasLeftOutOfAnotherHourOrDayIsThere() async throws {
        let hour: UInt64 = 3_600_000_000_000
        let starts = [0, hour, Day.nanoseconds].map { SampleBatch.fourOClock + $0 }
        let spans = zip((1 as UInt64)..., starts).map { Record.span($0, start: $1) }
        let record = try Record.make(spans, out: [1, 2])
        for _ in 1...2 { try await export([record], recovered: 1) }
        let places = ["date=2026-02-03/hour=04", "date=2026-02-03/hour=05", "date=2026-02-04/hour=00"]
        for tree in ["spans", "span_rollup_daily"] {
            let found = directory.archiveFiles().filter { $0.hasPrefix("\(tree)/") }
            #expect(found.map { $0.split(separator: "/").dropFirst(2).prefix(2).joined(separator: "/") } == places)
        }
        #expect(try manifests(of: directory).map(\.spans.spans).sorted() == [0, 0, 1])
        #expect(try sums().map { $0.split(separator: " ")[7] } == ["2", "1"])
        #expect(try ArchiveContents.problems(directory.path) == [])
    }

    @Test func whatIsStoredAfterAllIsNotCountedAgain() async throws {
        var record = try Record.make([Record.call(1), Record.span(2)], out: [])
        record.section.add(.promoted, UnsafeRawBufferPointer(start: nil, count: 0))
        try await export([record, Record.make([Record.span(2)], out: [], sequence: 2)])
        #expect(try sums() == ["shop GET /users - other 2 | 1 0 1000000 0 0 0 0"])
        #expect(try manifests(of: directory).first?.files.map(\.rows) == [3, 1, 1])
    }

    @Test func filesThatAreMergedAreAddedUp() async throws {
        for sequence in 1...3 as ClosedRange<UInt64> {
            let spans = [Record.call(sequence), Record.span(9), Record.call(20 + sequence)]
            try await export([Record.make(spans, out: [2], sequence: sequence)])
        }
        let before = try sums()
        #expect(try files().map(\.rows) == [2, 2, 2])
        let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)
        let outcome = try ArchiveContents.compact(
            directory.path, CompactionRules(after: .zero, target: 1 << 20), nil, at: later)
        #expect(outcome.merged == 3 && outcome.made == 1)
        #expect(try sums() == before && files().map(\.rows) == [2])
        #expect(try files().allSatisfy { $0.path.contains("date=2026-02-03/hour=24/") })
        #expect(try ArchiveContents.problems(directory.path) == [])
    }

    @Test func anErasureLeavesTheSums() async throws {
        let archive = try ArchiveSample("format: parquet", in: directory)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        let before = try sums()
        let erasure = try #require(try ArchiveErasure(directory.path))
        let later = Timestamp(nanoseconds: SampleBatch.fourOClock)
        #expect(try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: later).spans > 0)
        #expect(try sums() == before)
        #expect(try ArchiveContents.problems(directory.path) == [])
    }

    @Test func aSumHasMoreThanOneRowWhereTheColumnHasNotTheDigits() throws {
        var rollups = DailyRollups()
        let key = RollupRow.Key(
            minute: 1_441, tenantID: 3, operation: .llm, kind: 1, service: "s", name: "n", model: "m")
        rollups.add(RollupRow(spans: 2, totalCost: 2_500_000_000_000_000_000), key)
        rollups.add(RollupRow(spans: 1, totalCost: 1), key)
        let path = "\(directory.path)/x"
        let file = try AppendFile(creating: path)
        var writer = ParquetWriter(DailyRollups.columns, .zstd)
        var pages = ParquetPages(.zstd)
        rollups.move(to: &writer)
        #expect(rollups.isEmpty)
        try writer.writeGroup(to: file, &pages)
        try writer.finish(file, notes: [])
        try file.close()
        let reader = try ParquetReader(path)
        let group = try #require(reader.groups.first)
        func column(_ name: String) throws -> [Int64?] {
            let values = try reader.values(of: name, in: group)
            return (0..<group.rows).map { values.number($0) }
        }
        let most: Int64 = 999_999_999_999_999_999
        let costs = try column("total_cost").compactMap { $0 }.sorted()
        #expect(costs == [2_500_000_000_000_000_001 - 2 * most, most, most])
        #expect(try column("spans") == [3, 0, 0])
        #expect(try column("day") == [86_400_000_000, 86_400_000_000, 86_400_000_000])
        var again = DailyRollups()
        try again.add(group, of: reader)
        #expect(!again.isEmpty && !again.isFull)
    }

    @Test(arguments: [[], [1], [0, 1, 2, 3, 4, 5]] as [Set<Int>])
    func ofSpansThatAllHaveNamesOfTheirOwnOnlySoManyHaveSums(out: Set<Int>) async throws {
        let limit = UInt64(DailyRollups.maximumOperations)
        func span(_ id: UInt64, _ make: (UInt64) -> SpanFixture = { Record.span($0) }) -> SpanFixture {
            var span = make(id)
            span.name = "name \(id)"
            return span
        }
        let many = try Record.make((1...limit).map { span($0) }, out: [])
        var again = span(limit + 1)
        again.name = "name 1"
        let further = try Record.make(
            [again] + (2...4).map { span(limit + $0) } + (5...6).map { id in span(limit + id) { Record.call($0) } },
            out: out, sequence: 2)
        try await export([many, further])
        let found = try sums()
        #expect(found.count == DailyRollups.maximumOperations + 2)
        #expect(found.contains("shop name 1 - other 2 | 2 0 2000000 0 0 0 0"))
        #expect(found.contains("shop name \(limit) - other 2 | 1 0 1000000 0 0 0 0"))
        #expect(found.contains("shop _OTHER - other 2 | 3 0 3000000 0 0 0 0"))
        #expect(found.contains("shop _OTHER m-1 llm 2 | 2 0 2000000 200 0 1000000000000 0"))
        // Of another file it may be others.
        try await export([try Record.make([span(limit + 2)], out: [], sequence: 3)])
        #expect(try sums().contains("shop name \(limit + 2) - other 2 | 1 0 1000000 0 0 0 0"))
    }

    // MARK: -

    private func export(
        _ records: [JournalRecord], recovered: UInt64 = 0, to place: TemporaryDirectory? = nil
    ) async throws {
        let archive = try ArchiveSample("format: parquet", in: place ?? directory)
        try await archive.exporter.export(
            FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: recovered))
        await archive.exporter.finish()
    }

    private func manifests(of place: TemporaryDirectory) throws -> [ArchiveManifest] {
        var found: [ArchiveManifest] = []
        try ArchiveCatalog(root: place.path, selection: ArchiveCatalog.Selection()).visit {
            if let manifest = $0.published?.manifest { found.append(manifest) }
        }
        return found
    }

    private func files(
        of place: TemporaryDirectory? = nil
    ) throws -> [(path: String, reader: ParquetReader, rows: Int)] {
        let place = place ?? directory
        return try place.archiveFiles().filter { $0.hasPrefix("span_rollup_daily/") }.map { path in
            let reader = try ParquetReader("\(place.path)/\(path)")
            return (path, reader, reader.groups.reduce(0) { $0 + $1.rows })
        }
    }

    /// What the rows say together, a line for each day and operation without the day: `service name model operation
    /// kind | numbers`. The buckets of the durations have to count all spans.
    private func sums(of place: TemporaryDirectory? = nil) throws -> [String] {
        var sums: [String: [Int64]] = [:]
        for (_, reader, _) in try files(of: place) {
            for group in reader.groups {
                func column(_ name: String) throws -> ParquetReader.Values { try reader.values(of: name, in: group) }
                func text(_ values: ParquetReader.Values, _ row: Int) -> String {
                    values.text(row).map { String(decoding: $0, as: UTF8.self) } ?? "-"
                }
                let texts = try ["service", "name", "model", "operation"].map(column)
                let (kind, day, durations) = (try column("kind"), try column("day"), try column("durations"))
                let numbers = try Self.numbers.map(column)
                for row in 0..<group.rows {
                    let words = texts.map { text($0, row) } + ["\(kind.number(row) ?? -1)"]
                    let key = "\(day.number(row) ?? -1) " + words.joined(separator: " ")
                    let values = numbers.map { $0.number(row) ?? -1 }
                    sums[key] = zip(sums[key] ?? values.map { _ in 0 }, values).map(+)
                    let counted = DurationHistogram(json: text(durations, row))?.buckets.reduce(0) { $0 + $1.count }
                    #expect(counted == values[0])
                }
            }
        }
        return sums.sorted { $0.key < $1.key }.map { key, values in
            key.split(separator: " ").dropFirst().joined(separator: " ") + " | "
                + values.map { "\($0)" }.joined(separator: " ")
        }
    }
}

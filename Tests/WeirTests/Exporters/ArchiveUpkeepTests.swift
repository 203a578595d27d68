import Testing

@testable import Weir

/// What an archive does with published files while it runs.
@Suite struct ArchiveUpkeepTests {
    private let directory: TemporaryDirectory
    private let log = LogCapture()
    private let metrics = MetricRegistry()

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func mergesAndRemovesAndCountsIt() async throws {
        try await fill()
        let upkeep = try upkeep()
        #expect(await upkeep.run(at: time(days: 2)))
        #expect(metric("files_merged") == 3 && metric("files_removed") == 0)
        #expect(await upkeep.run(at: time(days: 21)))
        #expect(metric("files_removed") == 1 && metric("upkeep_failures") == 0)
        #expect(
            log.lines == [
                "info: merged files erased=0 files=3 into=1 spans=3",
                "info: removed files whose time is over expired=1 left_to_otlp=0 spans=3",
            ])
    }

    @Test func saysThatItDoesNotBelieveTheClockOnce() async throws {
        try await fill()
        let upkeep = try upkeep("compaction: { enabled: false }")
        for _ in 1...2 { #expect(await !upkeep.run(at: time(days: 2_000))) }
        #expect(metrics.render().contains(#"weir_archive_kept{exporter="archive",reason="clock"} 1"#))
        #expect(
            log.lines == [
                "error: removes no files, since the clock is too far ahead; weir archive confirm-clock says that it is "
                    + "right last_known=2026-02-03 today=2031-07-27"
            ])
        try ExpiryClock(in: "\(directory.path)/archive").note(Day(time(days: 2_000)))
        #expect(await upkeep.run(at: time(days: 2_000)))
        #expect(metric("files_removed") == 3)
        #expect(metrics.render().contains(#"weir_archive_kept{exporter="archive",reason="clock"} 0"#))
    }

    @Test func saysOnceThatAFileStaysWhoseManifestIsDamaged() async throws {
        try await fill()
        let upkeep = try upkeep("compaction: { enabled: false }")
        let manifest = try #require(directory.files().first { $0.hasSuffix(".manifest.json") })
        try Directory.replace("\(directory.path)/\(manifest)", with: Array("?".utf8))
        let kept = #"weir_archive_kept{exporter="archive",reason="damaged"} "#
        #expect(await upkeep.run(at: time(days: 21)))
        #expect(metrics.render().contains(kept + "0"))
        for _ in 1...2 { #expect(await upkeep.run(at: time(days: 22))) }
        #expect(metrics.render().contains(kept + "1"))
        let path = manifest.dropFirst("archive/".count)
        #expect(
            log.lines == [
                "info: removed files whose time is over expired=2 left_to_otlp=0 spans=2",
                "warning: files are kept whose time is over, since their manifests are damaged or missing files=1 "
                    + "first=\(path)",
            ])
    }

    @Test func mergesNothingWhereItIsNotTo() async throws {
        try await fill()
        #expect(await (try upkeep("compaction: { enabled: false }")).run(at: time(days: 2)))
        #expect(metric("files_merged") == 0)
    }

    @Test func isTriedAgainWhereAnotherIsAtIt() async throws {
        try await fill()
        let change = try ArchiveChange("\(directory.path)/archive")
        #expect(await !(try upkeep()).run(at: time(days: 2)))
        withExtendedLifetime(change) {}
    }

    @Test func saysWhatCannotBeDone() async throws {
        try await fill()
        let archive = "\(directory.path)/archive"
        // A file where a directory belongs.
        let file = try AppendFile(creating: "\(archive)/.erasing")
        try file.close()
        #expect(await !(try upkeep()).run(at: time(days: 2)))
        #expect(metric("upkeep_failures") == 1)
        #expect(log.lines.count == 1 && log.lines[0].hasPrefix("error: could not keep up the files error=mkdir "))
    }

    // MARK: -

    private func time(days: UInt64) -> Timestamp {
        Timestamp(nanoseconds: SampleBatch.fourOClock + days * Day.nanoseconds)
    }

    private func upkeep(_ keys: String...) throws -> ArchiveUpkeep {
        let text = ["directory: \(directory.path)/archive", "lifecycle: { warm: 10d, cold: 20d }"] + keys
        let configuration = try #require(read(ArchiveConfiguration.self, text.joined(separator: "\n")))
        let context = Context(id: ComponentID(type: "archive"), logger: log.logger, metrics: metrics)
        return ArchiveUpkeep(
            configuration, register: "\(directory.path)/erasures", ArchiveTelemetry(context), context)
    }

    private func fill() async throws {
        let archive = try ArchiveSample(
            "format: otlp_proto", "lifecycle: { warm: 10d, cold: 20d }", in: directory,
            path: "\(directory.path)/archive")
        for number in 1...3 as ClosedRange<UInt64> {
            let record = SampleBatch.record([(number, SampleBatch.fourOClock)], sequence: number)
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
    }

    private func metric(_ name: String) -> Int? {
        let line = metrics.render().split(separator: "\n").first { $0.hasPrefix("weir_archive_\(name){") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
    }
}

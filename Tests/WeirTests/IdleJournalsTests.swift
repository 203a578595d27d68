import Testing

@testable import Weir

@Suite(.hangLimit) struct IdleJournalsTests {
    private let directory: TemporaryDirectory
    private let log = LogCapture()

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// What is said where only `pipelines` are configured.
    private func said(beside pipelines: ComponentID...) -> [String] {
        let before = log.lines.count
        IdleJournals.tell(of: directory.path, beside: pipelines, log.logger)
        return Array(log.lines[before...])
    }

    @Test func whatWaitsForAPipelineThatIsNotConfiguredIsSaid() async throws {
        let (journal, writer) = try Journal.open(
            on: try JournalDirectory("\(directory.path)/traces~old"),
            .small(maxBytes: 16 << 20, segmentBytes: 1 << 20), for: [.init("debug"), .init("otlp_http~b")],
            executor: { BlockingExecutor(label: $0) }, clock: { Timestamp(nanoseconds: 1) }, events: { _ in })
        let writing = Task { await writer.run() }
        #expect(try await journal.append(.numbered(1, spans: 3)) == .kept)
        #expect(await journal.reader(0).read().count == 1)
        journal.reader(0).commit(1...1)
        journal.close()
        writing.cancel()
        await writing.value
        await writer.finish()

        let line = "spans wait for a pipeline that is not configured exporter=otlp_http/b pipeline=traces/old spans=3"
        #expect(said(beside: ComponentID(type: "traces")) == ["warning: \(line)"])
        #expect(said(beside: ComponentID(type: "traces", name: "old")) == [])
    }

    @Test func nothingIsSaidOfWhatIsNoJournal() throws {
        try Directory.create("\(directory.path)/other")
        #expect(said() == [])
        #expect(log.lines == [])
    }
}

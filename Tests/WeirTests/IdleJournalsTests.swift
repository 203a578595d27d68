import Testing

@testable import Weir

@Suite(.hangLimit) struct IdleJournalsTests {
    private let directory: TemporaryDirectory
    private let log = LogCapture()

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// What is said where only `pipelines` are configured.
    private func said(beside pipelines: ComponentID..., without files: Set<String> = []) -> [String] {
        let before = log.lines.count
        IdleJournals.tell(of: directory.path, beside: pipelines, without: files, log.logger)
        return Array(log.lines[before...])
    }

    /// Leaves three spans in the journal of a pipeline for one of two exporters.
    private func leave(in name: String) async throws {
        let (journal, writer) = try Journal.open(
            on: try JournalDirectory("\(directory.path)/\(name)"),
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
    }

    @Test func whatWaitsForAPipelineThatIsNotConfiguredIsSaid() async throws {
        try await leave(in: "traces~old")
        let line = "spans wait for a pipeline that is not configured exporter=otlp_http/b pipeline=traces/old spans=3"
        #expect(said(beside: ComponentID(type: "traces")) == ["warning: \(line)"])
        #expect(said(beside: ComponentID(type: "traces", name: "old")) == [])
    }

    @Test func whatWaitsForAPipelineWhoseFileIsInErrorIsSaidToDoSo() async throws {
        try await leave(in: "traces~old@shop")
        let rest = "exporter=otlp_http/b pipeline=traces/old@shop spans=3"
        #expect(said(without: ["shop"]) == ["warning: spans wait for a pipeline whose file is in error \(rest)"])
        #expect(said(without: ["bank"]) == ["warning: spans wait for a pipeline that is not configured \(rest)"])
    }

    @Test func nothingIsSaidOfWhatIsNoJournal() throws {
        try Directory.create("\(directory.path)/other")
        #expect(said() == [])
        #expect(log.lines == [])
    }
}

import Synchronization
import Testing

@testable import Weir

@Suite struct DebugExporterTests {
    @Test func countsABatchInOneLogLine() async throws {
        let shown = try await show("verbosity: basic", [SampleDebugSpan.record, SampleDebugSpan.record])
        let size = SampleDebugSpan.record.payload.count * 2
        #expect(shown.log == ["info: batch bytes=\(size) records=2 spans=4"])
        #expect(shown.output == "")
    }

    @Test func isBasicUnlessTold() async throws {
        #expect(try await show("{}", [SampleDebugSpan.record]).output == "")
    }

    @Test func showsALineForEachSpan() async throws {
        let shown = try await show("verbosity: normal", [SampleDebugSpan.record])
        #expect(shown.log == [])
        #expect(
            shown.output == """
                "GET /" trace_id=000000000000000a000000000000000b span_id=000000000000000c \
                parent_span_id=000000000000000d kind=server status=error status_message="no \\"cake\\"" \
                duration=1s500ms events=1 links=1 text="a\\nb" flag=true number=-7 ratio=0.5 data=0x00ff \
                list=[1, "two"] map={"k": (empty)} nothing=(empty)
                "\\u{1b}[2J\\r\\nforged" trace_id=000000000000000a000000000000000b span_id=000000000000000e \
                kind=unspecified status=unset duration=-1ns

                """)
    }

    @Test func showsAllThatASpanHolds() async throws {
        let shown = try await show("verbosity: detailed", [SampleDebugSpan.record])
        #expect(
            shown.output == """
                record 9: tenant="a\\"b" received=2026-02-03T04:00:00.000000000Z spans=2 bytes=\
                \(SampleDebugSpan.record.payload.count)
                  resource 0: schema_url="https://r" dropped_attributes=1
                    service.name = "shop"
                    entity: schema_url="https://e" type="service" id_key="service.name" description_key="x\\u{202e}"
                    scope 0: name="lib" version="1.0" schema_url="https://s" dropped_attributes=2
                      scope.key = 1
                      span "GET /"
                        trace_id=000000000000000a000000000000000b span_id=000000000000000c \
                parent_span_id=000000000000000d
                        kind=server flags=0x00000101 trace_state="a=b"
                        start=2026-02-03T04:00:00.000000000Z end=2026-02-03T04:00:01.500000000Z duration=1s500ms
                        status=error message="no \\"cake\\"" dropped_attributes=3 dropped_events=4 dropped_links=5
                        text = "a\\nb"
                        flag = true
                        number = -7
                        ratio = 0.5
                        data = 0x00ff
                        list = [1, "two"]
                        map = {"k": (empty)}
                        nothing = (empty)
                        event "boom" time=2026-02-03T04:00:00.000000001Z dropped_attributes=6
                          "odd key\\n" = 1
                        link trace_id=00000000000000010000000000000002 span_id=0000000000000003 flags=0x00000001 \
                trace_state="c=d" dropped_attributes=7
                          l = true
                      span "\\u{1b}[2J\\r\\nforged"
                        trace_id=000000000000000a000000000000000b span_id=000000000000000e
                        kind=unspecified flags=0x00000000
                        start=2026-02-03T04:00:00.000000000Z end=2026-02-03T03:59:59.999999999Z duration=-1ns
                        status=unset

                """)
    }

    @Test func showsNoMoreThanTheLimits() async throws {
        let shown = try await show("{ verbosity: normal, max_value_length: 16, max_items: 2 }", [SampleDebugSpan.long])
        #expect(
            shown.output.hasSuffix(
                #"duration=0s a="aaaaaaaaaaaaaaaa"…(84 bytes more) b=["äääääää"…(4 bytes more), …] …(1 attributes more)"#
                    + "\n"))
    }

    @Test func breaksOffWhereTheOutputFails() async throws {
        let context = Context(id: ComponentID(type: "debug"), logger: LogCapture().logger, metrics: MetricRegistry())
        let configuration = try #require(read(DebugConfiguration.self, "verbosity: normal"))
        let exporter = DebugExporter(configuration, context) { _ throws(FileError) in
            throw FileError("write", "standard output", code: 32)
        }
        await #expect(throws: ExportError.rejected("write standard output: broken pipe")) {
            try await exporter.export(FrozenBatch(records: [SampleDebugSpan.record]))
        }
    }

    private func show(_ keys: String, _ records: [JournalRecord]) async throws -> (output: String, log: [String]) {
        let log = LogCapture()
        let context = Context(id: ComponentID(type: "debug"), logger: log.logger, metrics: MetricRegistry())
        let configuration = try #require(read(DebugConfiguration.self, keys))
        let output = Output()
        let exporter = DebugExporter(configuration, context, output: { output.append($0) })
        try await exporter.export(FrozenBatch(records: records))
        return (String(decoding: output.bytes.withLock { $0 }, as: UTF8.self), log.lines)
    }

    private final class Output: Sendable {
        let bytes = Mutex<[UInt8]>([])
        func append(_ more: [UInt8]) { bytes.withLock { $0 += more } }
    }
}

import Logging
import Testing

@testable import Weir

@Suite struct TailSamplingTelemetryTests {
    private let metrics = MetricRegistry()

    private func telemetry(of pipeline: String) throws -> TailSamplingTelemetry {
        TailSamplingTelemetry(
            Context(
                id: ComponentID(type: "tail_sampling"), pipeline: try ComponentID(parsing: pipeline),
                logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics))
    }

    @Test func whatTwoPipelinesHaveOpenIsNotMixedUp() throws {
        let (first, second) = (try telemetry(of: "traces/a"), try telemetry(of: "traces/b"))
        first.noteOverload(true)
        second.noteOverload(false)
        #expect(value(in: "traces/a") == 1)
        #expect(value(in: "traces/b") == 0)
        #expect(first.complaints.first?.hasPrefix("tail_sampling of traces/a: the journal fills") == true)
        first.end()
        #expect(value(in: "traces/a") == 0)
        #expect(first.complaints.isEmpty)
    }

    private func value(in pipeline: String) -> Double {
        metrics.gauge(
            "weir_tail_sampling_overloaded", help: "", labels: ["processor": "tail_sampling", "pipeline": pipeline]
        ).value
    }

    @Test func aRecordThatCannotGoOnIsSaidUntilItDoes() throws {
        let telemetry = try telemetry(of: "traces")
        telemetry.noteHeldUp(7, "it is large", Refusal.tooLarge("no room"))
        telemetry.noteHeldUp(8, "it is large", Refusal.tooLarge("no room"))
        #expect(telemetry.complaints.count == 1)
        #expect(telemetry.complaints[0].hasPrefix("tail_sampling of traces: record 7 cannot go on: it is large: "))
        telemetry.noteWentOn(8)
        #expect(telemetry.complaints.count == 1)
        telemetry.noteWentOn(7)
        #expect(telemetry.complaints.isEmpty)
    }
}

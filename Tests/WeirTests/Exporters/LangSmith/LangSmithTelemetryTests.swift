import Testing

@testable import Weir

@Suite struct LangSmithTelemetryTests {
    @Test func whatAnExporterOfSeveralPipelinesHoldsIsCountedApart() {
        let metrics = MetricRegistry()
        for (name, held) in [("a", 1.0), ("b", 2)] {
            let context = Context(
                id: ComponentID(type: "langsmith"), pipeline: ComponentID(type: "traces", name: name),
                logger: LogCapture().logger, metrics: metrics)
            let telemetry = LangSmithTelemetry(context)
            telemetry.heldSpans.set(held)
            telemetry.sentRuns.add(1)
        }
        let text = metrics.render()
        for line in [#"pipeline="traces/a"} 1"#, #"pipeline="traces/b"} 2"#] {
            #expect(text.contains(#"weir_langsmith_held_spans{exporter="langsmith","# + line))
        }
        #expect(text.contains(#"weir_langsmith_sent_runs{exporter="langsmith"} 2"#))
    }
}

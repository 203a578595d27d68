/// The metrics of one exporter.
struct LangSmithTelemetry: Sendable {
    let sentRuns: Counter
    let knownRuns: Counter
    let unexpectedRuns: Counter
    let trimmedRuns: Counter
    let missingRoots: Counter
    let releasedEarly: Counter
    let heldSpans: Gauge

    init(_ context: Context) {
        let labels = ["exporter": "\(context.id)"]
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("weir_langsmith_\(name)", help: help, labels: labels)
        }
        sentRuns = counter("sent_runs", "Runs that the destination has taken.")
        knownRuns = counter("known_runs", "Runs that the destination had already (409).")
        unexpectedRuns = counter(
            "unexpected_runs", "Runs that the destination had although they were not sent before.")
        trimmedRuns = counter("trimmed_runs", "Runs that were too large and lost the rest of a field.")
        missingRoots = counter("missing_roots", "Traces whose root had not come within trace_grace.")
        releasedEarly = counter("released_early", "Batches that did not wait, because as many waited as may.")
        // Counters of several pipelines add up; this does not.
        var place = labels
        place["pipeline"] = context.pipeline?.description
        heldSpans = context.metrics.gauge(
            "weir_langsmith_held_spans", help: "Spans of batches that wait for ancestors.", labels: place)
    }
}

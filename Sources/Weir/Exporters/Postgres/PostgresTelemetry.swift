/// What the exporter to Postgres counts.
struct PostgresTelemetry: Sendable {
    private let storedSpans: Counter
    private let transactions: Counter
    private let rejectedSpans: Counter
    private let clockSuspectSpans: Counter
    private let repeatedSpans: Counter
    private let expiredSpans: Counter

    init(_ context: Context) {
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("weir_postgres_\(name)", help: help, labels: ["exporter": "\(context.id)"])
        }
        storedSpans = counter("stored_spans", "Spans that were written to the tables.")
        transactions = counter("transactions", "Batches that were committed.")
        rejectedSpans = counter(
            "rejected_spans", "Spans that the tables did not take; they are in rejects, with the reason.")
        clockSuspectSpans = counter(
            "clock_suspect_spans", "Spans stored whose clock is far off, or that end before they start.")
        repeatedSpans = counter(
            "repeated_spans", "Spans that came again and were left out, because the ledger has their record.")
        expiredSpans = counter("expired_spans", "Spans of days that the retention has given up; they are not stored.")
    }

    func count(_ counts: PostgresWriter.Counts) {
        transactions.add()
        storedSpans.add(counts.stored)
        rejectedSpans.add(counts.rejected)
        clockSuspectSpans.add(counts.clockSuspect)
        repeatedSpans.add(counts.repeated)
        expiredSpans.add(counts.expired)
    }
}

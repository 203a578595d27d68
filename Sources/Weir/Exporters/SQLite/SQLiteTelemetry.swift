/// What the hot tables in SQLite count.
struct SQLiteTelemetry: Sendable {
    private let storedSpans: Counter
    private let suspectSpans: Counter
    private let rejectedSpans: Counter
    private let repeatedSpans: Counter
    private let expiredSpans: Counter
    private let droppedFiles: Counter
    private let files: Gauge
    private let bytes: Gauge

    init(_ context: Context) {
        let labels = ["exporter": "\(context.id)"]
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("weir_sqlite_\(name)", help: help, labels: labels)
        }
        storedSpans = counter("stored_spans", "Spans written to the tables, and on the disk.")
        suspectSpans = counter(
            "clock_suspect_spans", "Stored spans whose clock is far off, or that end before they start.")
        rejectedSpans = counter("rejected_spans", "Spans that the tables did not take; they are in rejects of meta.db.")
        repeatedSpans = counter("repeated_spans", "Spans that came again and were left out, being stored already.")
        expiredSpans = counter("expired_spans", "Spans of days that the retention has given up; they are not stored.")
        droppedFiles = counter("dropped_files", "Files of days that were removed after the retention.")
        files = context.metrics.gauge("weir_sqlite_files", help: "Files of days.", labels: labels)
        bytes = context.metrics.gauge(
            "weir_sqlite_bytes", help: "Bytes of the files of days, with their logs.", labels: labels)
    }

    func add(_ counts: SQLiteCounts) {
        storedSpans.add(counts.stored)
        suspectSpans.add(counts.clockSuspect)
        rejectedSpans.add(counts.rejected)
        repeatedSpans.add(counts.repeated)
        expiredSpans.add(counts.expired)
    }

    func addDropped() {
        droppedFiles.add()
    }

    func show(files count: Int, bytes size: Int) {
        files.set(count)
        bytes.set(size)
    }
}

/// What an archive counts.
struct ArchiveTelemetry: Sendable {
    let publishedFiles: Counter
    let abandonedFiles: Counter
    let writtenSpans: Counter
    let writtenBytes: Counter
    let suspectSpans: Counter
    let archivedSpans: Counter
    let mergedFiles: Counter
    let erasedSpans: Counter
    let damagedFiles: Gauge
    let failures: Counter
    let removedFiles: Counter
    let heldFiles: Gauge
    let lackingDays: Gauge
    let unreadableFiles: Gauge
    let distrustsClock: Gauge

    init(_ context: Context) {
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("weir_archive_\(name)", help: help, labels: ["exporter": "\(context.id)"])
        }
        publishedFiles = counter("files_published", "Files of the archive that readers can see.")
        abandonedFiles = counter(
            "files_abandoned",
            "Files that cannot be completed. Their records stay in the journal and come again at the next start.")
        writtenSpans = counter(
            "spans_written", "Spans written to files of the archive, also to those that readers cannot see yet.")
        writtenBytes = counter("bytes_written", "Bytes written to files of the archive, compressed, without footers.")
        suspectSpans = counter(
            "spans_clock_suspect", "Spans that stand on another day than they say, since their clocks cannot be right.")
        archivedSpans = counter(
            "spans_not_repeated",
            "Spans that came again after a restart and were left out, because a published file has them.")
        mergedFiles = counter("files_merged", "Files that were merged into larger ones.")
        erasedSpans = counter("spans_erased", "Spans of erased subjects that were left out when files were merged.")
        damagedFiles = context.metrics.gauge(
            "weir_archive_files_damaged", help: "Files that are not merged, since they are not what they were.",
            labels: ["exporter": "\(context.id)"])
        removedFiles = counter("files_removed", "Files that were removed since their time was over.")
        func kept(_ reason: String) -> Gauge {
            context.metrics.gauge(
                "weir_archive_kept",
                help:
                    "Files under a hold, or with a damaged manifest; days of rows that no archive of OTLP has all of; "
                    + "1 for a clock too far ahead.",
                labels: ["exporter": "\(context.id)", "reason": reason])
        }
        heldFiles = kept("held")
        lackingDays = kept("archive_lacks")
        unreadableFiles = kept("damaged")
        distrustsClock = kept("clock")
        failures = counter("upkeep_failures", "Times that merging or removing files failed; it is tried again.")
    }
}

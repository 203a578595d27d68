/// What an archive counts.
struct ArchiveTelemetry: Sendable {
    let publishedFiles: Counter
    let abandonedFiles: Counter
    let writtenSpans: Counter
    let writtenBytes: Counter
    let scatteredSpans: Counter
    let archivedSpans: Counter

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
        scatteredSpans = counter(
            "spans_without_hour",
            "Spans written without date and hour because their request was scattered over too many.")
        archivedSpans = counter(
            "spans_not_repeated",
            "Spans that came again after a restart and were left out, because a published file has them.")
    }
}

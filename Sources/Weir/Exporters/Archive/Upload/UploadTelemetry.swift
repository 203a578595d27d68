/// What an archive counts of its bucket.
struct UploadTelemetry: Sendable {
    let files: Counter
    let bytes: Counter
    let resumed: Counter
    let retries: Counter
    let failures: Counter
    let setAside: Counter
    let removedHere: Counter
    let moved: Counter
    let pendingRemovals: Gauge
    let pendingFiles: Gauge
    let pendingBytes: Gauge

    init(_ context: Context) {
        let labels = ["exporter": "\(context.id)"]
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("weir_archive_upload_\(name)", help: help, labels: labels)
        }
        files = counter("files", "Files of the archive that the bucket got, manifests not counted.")
        bytes = counter("bytes", "What these files have.")
        resumed = counter("resumed", "Uploads in parts that went on where an earlier attempt or run had ended.")
        retries = counter("retries", "Requests to the bucket that were repeated at once.")
        failures = counter("failures", "Times that uploading came to a halt, to go on after a pause.")
        setAside = counter("set_aside", "Manifests in .upload that are not tried again; the log says why.")
        removedHere = counter("removed_local_files", "Files that were removed here, since the bucket has them.")
        moved = counter("moved_files", "Files that were moved to another storage class in the bucket.")
        pendingRemovals = context.metrics.gauge(
            "weir_archive_upload_pending_removals",
            help: "Manifests that are to go from the bucket with their files, and are still there.", labels: labels)
        pendingFiles = context.metrics.gauge(
            "weir_archive_upload_pending", help: "Manifests whose files the bucket does not have yet.", labels: labels)
        pendingBytes = context.metrics.gauge(
            "weir_archive_upload_pending_bytes", help: "What the files have that the bucket does not have yet.",
            labels: labels)
    }
}

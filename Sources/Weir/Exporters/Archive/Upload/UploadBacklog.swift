/// How much of an archive waits for its bucket; looked at once a second, by the names in the outbox.
struct UploadBacklog {
    private static let interval = Duration.seconds(1)

    private let outbox: ArchiveOutbox
    private let limit: Int
    private let telemetry: UploadTelemetry
    private var last: Timestamp?
    private var bytes = 0

    /// Nil where the archive has no outbox.
    init?(of root: String, _ configuration: ArchiveUploadConfiguration, _ context: Context) {
        guard let outbox = ArchiveOutbox(of: root) else { return nil }
        self.outbox = outbox
        limit = configuration.maxPending
        telemetry = UploadTelemetry(context)
    }

    /// Why no more is taken; nil where it is.
    mutating func complaint(at now: Timestamp) -> String? {
        look(at: now)
        guard bytes >= limit else { return nil }
        return "\(bytes) bytes of the archive wait for the bucket, and max_pending_bytes is \(limit)"
    }

    /// What cannot be read is taken for what it was.
    mutating func look(at now: Timestamp) {
        if let last, last <= now, now < last.adding(Self.interval) { return }
        guard let entries = try? outbox.entries() else { return }
        last = now
        bytes = entries.reduce(0) { $0 + $1.bytes }
        telemetry.pendingFiles.set(entries.count)
        telemetry.pendingBytes.set(bytes)
    }
}

/// The section `service.journal`.
struct JournalConfiguration: Sendable {
    /// Where the journals are, one directory for each pipeline.
    let directory: String
    /// What of the section concerns a single journal.
    let limits: JournalSettings
    /// What the dead letters of one exporter of one pipeline may take.
    let maxDeadLetters: ByteCount
    /// What the parked records of one exporter of one pipeline may take.
    let maxParked: ByteCount

    init(_ fields: inout Fields) {
        directory = fields.string(
            "directory", default: "data/journal", "Where the journals are, one directory for each pipeline.")
        if directory.isEmpty { fields.reject("directory", "found an empty path, wanted a directory") }
        limits = JournalSettings(&fields)
        // A single record must always fit.
        let sizes = ByteCount.mebibytes(128) ... .tebibytes(1)
        maxDeadLetters = fields.section("dead_letters", "Spans that a destination cannot take.") {
            $0.bytes(
                "max_bytes", default: .gibibytes(1), in: sizes,
                "What they take for each exporter; then it waits. A tenant has half of it, and misses more.")
        }
        maxParked = fields.section("parked", "Records of tenants for whom a destination does not work.") {
            $0.bytes(
                "max_bytes", default: .gibibytes(1), in: sizes,
                "What they take for each exporter, half of it one tenant's; such a tenant misses what is beyond.")
        }
    }

    /// What belongs to one pipeline lies below.
    func directory(of pipeline: ComponentID) -> String {
        "\(directory)/\(pipeline.fileName)"
    }
}

/// When an acknowledged record is where a power cut leaves it.
enum Durability: String, Sendable, CaseIterable {
    /// Before the acknowledgement. Nothing that was acknowledged is lost.
    case fsync
    /// Up to `sync_interval` after it. A power cut loses what was acknowledged since; the end of the process does not.
    case interval
    /// When the operating system likes. A power cut may lose what it had not written yet.
    case none
}

/// How large the journal of a pipeline may get, and how sure it is.
struct JournalSettings: Sendable {
    let maxBytes: ByteCount
    let minFreeBytes: ByteCount
    let tenantBytes: ByteCount
    let durability: Durability
    let syncInterval: Duration
    let dedupeWindow: Duration
    let dedupeRequests: Int
    /// The keystore; nil where records are written as they are.
    let encryption: ComponentID?

    init(_ fields: inout Fields) {
        maxBytes = fields.bytes(
            "max_bytes", default: .gibibytes(8), in: .mebibytes(16) ... .tebibytes(16),
            "The disk that a pipeline's journal takes at most. Above 85 % of it requests are answered 503.")
        minFreeBytes = fields.bytes(
            "min_free_bytes", default: .mebibytes(512), in: ByteCount(0) ... .tebibytes(16),
            "What the journal leaves free on its disk. Rather than take it, requests are answered 503.")
        let half = ByteCount(maxBytes.bytes / 2)
        tenantBytes = fields.bytes(
            "tenant_max_bytes", default: half, in: .mebibytes(1) ... .tebibytes(16),
            "Above 70 % of max_bytes, a tenant that holds more than this is answered 429. Default half of max_bytes.")
        if tenantBytes > maxBytes {
            fields.warn("tenant_max_bytes", "is above max_bytes, \(maxBytes), so that no tenant ever holds more")
        }
        durability = fields.choice(
            "durability", default: .fsync,
            "fsync: on the disk before the 200. interval: at most sync_interval later. none: when the system writes it."
        )
        syncInterval = fields.duration(
            "sync_interval", default: .milliseconds(100), in: .milliseconds(1) ... .seconds(60),
            "What a power cut may lose with durability: interval.")
        dedupeWindow = fields.duration(
            "dedupe_window", default: .seconds(600), in: .zero ... .seconds(86_400),
            "A request that is, byte for byte, one that was taken this long ago gets its answer again. 0s: off."
        )
        dedupeRequests = fields.int(
            "dedupe_max_requests", default: 1_000_000, in: 1...100_000_000,
            "Requests that are remembered for that, about 100 bytes each; then the oldest is forgotten, and counted."
        )
        encryption = fields.encryption("off, or the id of the keystore whose keys records and letters are sealed with.")
    }
}

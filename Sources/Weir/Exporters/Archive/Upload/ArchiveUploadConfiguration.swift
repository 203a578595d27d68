/// The keys of `object_storage`: a bucket that gets what an archive publishes.
struct ArchiveUploadConfiguration: Sendable {
    let storage: ObjectStorageConfiguration
    /// Bytes that wait here for the bucket, at most.
    let maxPending: Int
    /// After so long here, files are in the bucket only; nil keeps them.
    let removesAfter: Duration?

    init(_ fields: inout Fields) {
        storage = ObjectStorageConfiguration(&fields)
        maxPending =
            fields.bytes(
                "max_pending_bytes", default: .gibibytes(64), in: .kibibytes(64)...(.tebibytes(64)),
                "Published files that the bucket does not have; at that many bytes the exporter takes no more."
            ).bytes
        removesAfter = fields.parsed(
            "remove_local_after", default: Duration?.none, type: "duration",
            "Files that the bucket has are removed here when they are that old; left out, they stay."
        ) { text throws(ConfigError) in
            guard let duration = Duration(parsing: text), duration >= .zero, duration <= .seconds(86_400 * 3_650) else {
                throw ConfigError(found: text.quotedForMessage, wanted: "a duration such as 0s or 24h, up to ten years")
            }
            return duration
        }
    }
}

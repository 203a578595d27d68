/// The keys of `archive`.
struct ArchiveConfiguration: Configurable {
    /// Where the partitions are; created where it is missing.
    let directory: String
    let format: ArchiveFormat
    let compression: Compression
    /// The keystore; nil where files are written as they are.
    let encryption: ComponentID?
    /// `max_file_age`, `max_file_size` without the footer, and `max_open_files`.
    let limits: ArchiveRotation.Limits
    let compaction: CompactionRules
    let lifecycle: ArchiveLifecycle
    /// Nil where the archive is on this disk only.
    let upload: ArchiveUploadConfiguration?

    var ownDirectory: String? { directory }

    var namedTenants: Set<String> { Set(lifecycle.classes.flatMap(\.tenants)) }

    init(_ fields: inout Fields) throws(ConfigError) {
        directory = fields.string("directory", "Where the partitions are; created where it is missing.")
        format = fields.choice("format", default: .json, "What the files hold.")
        compression = fields.choice("compression", default: .zstd, "How the files are compressed.")
        encryption = fields.encryption("off, or the id of the keystore whose keys files are sealed with.")
        let age = fields.duration(
            "max_file_age", default: .seconds(60), in: .seconds(1)...(.seconds(86_400)),
            "A file is published when it is that old, counted from its first byte.")
        let size = fields.bytes(
            "max_file_size", default: .mebibytes(128), in: .kibibytes(4)...(.gibibytes(64)),
            "A file is published before it would get larger; counted as written. Rows that wait count as their texts.")
        let files = fields.int(
            "max_open_files", default: 64, in: 1...4_096,
            "One more, and the file that was not written for longest is published.")
        compaction = fields.section("compaction", "How the files of a day become few.", CompactionRules.init)
        lifecycle = fields.section("lifecycle", "How long files are kept.", ArchiveLifecycle.init)
        limits = ArchiveRotation.Limits(
            age: age, size: size.bytes - ArchiveFooter.maximumLength, files: files)
        upload = fields.optionalSection(
            "object_storage", "A bucket that gets what is published.", ArchiveUploadConfiguration.init)
        if lifecycle.hasStorageClasses, upload == nil {
            fields.reject("lifecycle", "found storage_classes without object_storage, wanted a bucket that has them")
        }
    }
}

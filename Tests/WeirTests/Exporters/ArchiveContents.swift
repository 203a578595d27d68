import Testing

@testable import Weir

/// What an archive holds, as one finds it who goes by names, or by manifests.
enum ArchiveContents {
    /// Of all files that readers see, sorted; one that is there twice stands twice.
    static func spanIDs(
        of directory: TemporaryDirectory, _ format: ArchiveFormat, _ keys: ArchiveKeys? = nil
    ) throws -> [UInt64] {
        let files = directory.archiveFiles().filter { file in
            file.hasPrefix("tenant=") || file.hasPrefix("spans/tenant=")
        }
        return try files.flatMap { try spanIDs(in: "\(directory.path)/\($0)", format, keys) }.sorted()
    }

    /// Of the files that manifests name.
    static func manifestSpans(of directory: TemporaryDirectory, _ format: ArchiveFormat) throws -> [UInt64] {
        try manifestSpans(at: directory.path, format)
    }

    static func manifestSpans(at root: String, _ format: ArchiveFormat) throws -> [UInt64] {
        var ids: [UInt64] = []
        try ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()).visit { found in
            guard case .manifest(let manifest, _, _) = found, let file = manifest.files.first else { return }
            ids += try spanIDs(in: "\(root)/\(file.path)", format)
        }
        return ids.sorted()
    }

    /// Merges what is due.
    static func compact(
        _ root: String, _ rules: CompactionRules, _ register: ErasureRegister?, _ lifecycle: ArchiveLifecycle? = nil,
        at now: Timestamp
    ) throws -> ArchiveCompaction.Outcome {
        let catalog = ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection())
        return try ArchiveCompaction(catalog, rules, register, lifecycle).run(at: now)
    }

    /// What `weir archive verify` says.
    static func problems(_ root: String) throws -> [String] {
        var found: [String] = []
        var verification = ArchiveVerification(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()))
        try verification.run { found.append($0) }
        return found
    }

    private static func spanIDs(
        in path: String, _ format: ArchiveFormat, _ keys: ArchiveKeys? = nil
    ) throws -> [UInt64] {
        var ids: [UInt64] = []
        guard format == .parquet else {
            var batch = Batch(decodedLimit: .max)
            let reader = try #require(ArchiveFileReader(path, keys))
            try reader.read(into: &batch) { ids += $0.spans.map(\.spanID) }
            return ids
        }
        let reader = try ParquetReader(path, keys)
        for group in reader.groups {
            let values = try reader.values(of: "span_id", in: group)
            ids += (0..<group.rows).compactMap { row in
                values.text(row).flatMap { UInt64(String(decoding: $0, as: UTF8.self), radix: 16) }
            }
        }
        return ids
    }
}

/// Looks for a trace in the files of an archive. Of most the filter beside the manifest says that they have no span of
/// it, and they are not opened.
struct ArchiveSearch {
    struct Found: Equatable, Sendable {
        let spans: Int
        /// When the first of them started.
        let start: UInt64
    }

    let trace: TraceID
    let catalog: ArchiveCatalog

    /// Whether its files may have spans of the trace.
    /// - Throws: also where the filter cannot be read; then the files are to be looked into.
    func mayHave(_ manifest: ArchiveManifest) throws(FileError) -> Bool {
        try manifest.filters(in: catalog)?.traces.contains(ArchiveHashes.hash(trace)) ?? true
    }

    /// What its files have of the trace; nil where they have nothing.
    func look(into manifest: ArchiveManifest) throws -> Found? {
        guard let path = manifest.files.first.map({ "\(catalog.root)/\($0.path)" }) else { return nil }
        var starts: [UInt64] = []
        if manifest.format == .parquet {
            try lookIntoRows(path, &starts)
        } else {
            guard let reader = ArchiveFileReader(path, catalog.keys) else { throw FileError.damaged(path) }
            var batch = Batch(decodedLimit: .max)
            try reader.read(into: &batch) { batch in
                for span in batch.spans where span.trace == trace { starts.append(span.startTime) }
            }
        }
        return starts.min().map { Found(spans: starts.count, start: $0) }
    }

    private func lookIntoRows(_ path: String, _ starts: inout [UInt64]) throws {
        let reader = try ParquetReader(path, catalog.keys)
        var text = trace.text
        let hash = text.withUTF8 { XXHash64.hash(UnsafeRawBufferPointer($0)) }
        for group in reader.groups {
            if let column = reader.column("trace_id"), let filter = try reader.filter(of: column, in: group),
                !filter.contains(hash)
            {
                continue
            }
            let ids = try reader.values(of: "trace_id", in: group)
            let rows = (0..<group.rows).filter { ParquetErasure.trace(ids, $0) == trace }
            guard !rows.isEmpty else { continue }
            let times = try reader.values(of: "start_unix_nano", in: group)
            starts += rows.map { UInt64(bitPattern: times.number($0) ?? 0) }
        }
    }
}

/// Whose spans are left out of what is written anew, and all of their traces.
typealias ErasedSpans = (matcher: SubjectMatcher, traces: Set<TraceID>)

/// Writes what files of an archive hold anew, as one, without what is erased.
protocol ArchiveRewriter {
    /// - Parameters:
    ///   - manifests: of the same journal, format and compression; Parquet of the same columns.
    ///   - stem: of the new files, which are `STEM.0` and so on, synced.
    /// - Throws: also where a file is not what its manifest says.
    func rewrite(
        _ manifests: [ArchiveManifest], to stem: String, without erased: [ErasedSpans]
    ) throws -> ArchiveRewritten
}

/// What files of an archive became.
struct ArchiveRewritten {
    struct File {
        let dataset: ArchiveDataset?
        let rows: Int
        let bytes: Int
        /// Hexadecimal digits.
        let sha256: String

        /// - Parameter file: complete.
        init(_ dataset: ArchiveDataset?, rows: Int, _ file: AppendFile) throws(FileError) {
            try file.complete()
            try file.sync()
            try file.close()
            self.dataset = dataset
            self.rows = rows
            bytes = file.end.size
            sha256 = ArchiveManifest.digits(try Digest.sha256(ofFile: file.path))
        }

        func named(_ path: String) -> ArchiveManifest.File {
            ArchiveManifest.File(path: path, dataset: dataset, rows: rows, bytes: bytes, sha256: sha256)
        }
    }

    /// As many as there were. In Parquet, where rows of all stand together, they are as they were.
    let sections: [ArchiveSection]
    let whole: ArchivedSpans
    /// The first is the one of spans.
    let files: [File]
    /// Of the data key that they are sealed with; nil where those before were not.
    let keyID: UInt64?
    /// Of their traces and names; its path is that of a draft.
    let filters: ArchiveIndex.Written
}

extension ArchiveManifest.File {
    func named(_ path: String) -> ArchiveManifest.File {
        ArchiveManifest.File(path: path, dataset: dataset, rows: rows, bytes: bytes, sha256: sha256)
    }
}

extension ArchiveManifest {
    /// What writes files anew that are like these.
    /// - Parameter finder: of names in them; nil where nobody can be erased.
    func rewriter(_ root: String, _ keys: ArchiveKeys?, _ finder: SubjectFinder?) -> any ArchiveRewriter {
        format == .parquet
            ? ParquetRewriter(root: root, compression, keys, finder)
            : OTLPRewriter(root: root, format, compression, keys, finder)
    }
}

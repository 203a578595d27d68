/// A file that readers will see, complete and synced.
struct ArchiveProduct {
    /// Nil where the archive has one kind of file only.
    let dataset: ArchiveDataset?
    let rows: Int
    let file: AppendFile
}

/// What one batch adds to one file: messages in the archive's format, one behind the other.
struct ArchiveMessages {
    let partition: ArchivePartition
    /// They can go on in a file that holds a record from here on; see ``ArchivedSpans/canGoOn(with:since:)``.
    let since: UInt64
    var spans: ArchivedSpans
    var bytes: [UInt8] = []
    /// In place of bytes, where they become Parquet.
    var batch: ParquetBatch?
    /// Of values in them.
    var keys = ArchivedKeyIDs()
    /// Of traces and names.
    var entries = ArchiveIndex.Entries()
}

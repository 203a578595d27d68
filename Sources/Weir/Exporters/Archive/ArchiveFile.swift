/// A file of the archive that no reader sees yet.
struct ArchiveFile {
    let partition: ArchivePartition
    var name: String
    let file: AppendFile
}

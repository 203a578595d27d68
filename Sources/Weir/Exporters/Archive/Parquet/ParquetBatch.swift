/// The rows that one batch adds to the files of one partition.
final class ParquetBatch {
    var rows = ParquetRows()
}

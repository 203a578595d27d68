/// In place of a file: what is appended is counted.
final class AppendFile {
    struct End: Equatable {
        fileprivate(set) var length = 0
        var size: Int { length }
    }

    let path = "nowhere"
    private(set) var end = End()

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) { end.length += bytes.count }
    func truncate(to end: End) throws(FileError) { self.end = end }
    func reopen() throws(FileError) {}
    func complete() throws(FileError) {}
}

struct ArchiveProduct {
    let dataset: ArchiveDataset?
    let rows: Int
    let file: AppendFile
}

struct FileError: Error {
    let path: String

    static func noMemory(_ path: String) -> FileError { FileError(path: path) }
}

/// No file is sealed here.
enum ArchiveKeys {
    static let suffix = ".sealed"
}

/// Nobody is looked for here.
final class SubjectFinder {
    func forEachName(in batch: borrowing Batch, tenant: String, _ body: (UInt64) -> Void) {}
}

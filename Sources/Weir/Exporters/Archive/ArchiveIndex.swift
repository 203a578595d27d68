/// What a file has, as far as it takes to tell of most traces and of most people that it has nothing of them.
struct ArchiveIndex {
    var traces = ArchiveHashes()
    /// What spans call people, as ``SubjectFinder`` hashes it.
    var names = ArchiveHashes()

    /// - Parameter finder: nil where nobody can be erased.
    mutating func add(_ batch: borrowing Batch, tenant: String, _ finder: SubjectFinder?) {
        var last: TraceID?
        for span in batch.spans where !span.isDropped && span.trace != last {
            traces.add(span.trace)
            last = span.trace
        }
        finder?.forEachName(in: batch, tenant: tenant) { names.add($0) }
    }

    mutating func formUnion(_ other: ArchiveIndex) {
        traces.formUnion(other.traces)
        names.formUnion(other.names)
    }
}

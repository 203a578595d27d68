/// What a file has, as far as it takes to tell of most traces and of most people that it has nothing of them.
struct ArchiveIndex {
    /// What batches have of it, one hash more than once.
    struct Entries {
        fileprivate var traces: [UInt64] = []
        fileprivate var names: [UInt64] = []

        /// - Parameter finder: nil where nobody can be erased.
        mutating func add(_ batch: borrowing Batch, tenant: String, _ finder: SubjectFinder?) {
            var last: TraceID?
            for span in batch.spans where !span.isDropped && span.trace != last {
                traces.append(ArchiveHashes.hash(span.trace))
                last = span.trace
            }
            finder?.forEachName(in: batch, tenant: tenant) { names.append($0) }
        }

        mutating func add(_ others: Entries) {
            traces += others.traces
            names += others.names
        }
    }

    var traces = ArchiveHashes()
    /// What spans call people, as ``SubjectFinder`` hashes it.
    var names = ArchiveHashes()

    mutating func add(_ entries: Entries) {
        for hash in entries.traces { traces.add(hash) }
        for hash in entries.names { names.add(hash) }
    }
}

/// Looks whether what a manifest says of traces, names and data keys holds for what its files have. It may say more: of
/// filters that is their nature, and of keys what was erased.
struct FilterRecount {
    /// Columns of Parquet in which ciphertext stands; of others there are copies of it.
    static let encrypted = ["name", "status_message", "attrs", "resource", "events", "links"]

    private let filters: (traces: BloomFilter, names: BloomFilter?)?
    private let fieldKeys: ArchivedKeyIDs?
    /// Nil where the filter of names cannot be asked: there is none, or it has another register's key.
    private let finder: SubjectFinder?
    private let tenant: String
    private var keys = ArchivedKeyIDs()
    private var isDamaged = false
    private var traces = 0
    private var lacksNames = false

    init(of manifest: ArchiveManifest, in catalog: ArchiveCatalog, _ finder: SubjectFinder?) throws(FileError) {
        do throws(FileError) { filters = try manifest.filters(in: catalog) } catch {
            // Where it is missing, that is said already.
            guard error.isMissing || error.unreadable != nil || error.isDamage else { throw error }
            (filters, isDamaged) = (nil, error.isDamage && error.unreadable == nil)
        }
        fieldKeys = manifest.fieldKeys
        tenant = manifest.tenant
        self.finder = manifest.names?.key == finder?.id ? finder : nil
    }

    /// - Parameter message: the batch as it stands in the file.
    mutating func add(_ batch: borrowing Batch, _ message: UnsafeRawBufferPointer) {
        keys.add(from: message)
        guard let filters else { return }
        for span in batch.spans where !filters.traces.contains(ArchiveHashes.hash(span.trace)) { traces += 1 }
        guard let known = filters.names else { return }
        finder?.forEachName(in: batch, tenant: tenant) { if !known.contains($0) { lacksNames = true } }
    }

    /// The same of rows.
    mutating func add(_ group: ParquetReader.Group, of reader: ParquetReader) throws {
        for name in Self.encrypted where reader.column(name) != nil {
            guard case .texts(let bytes, _) = try reader.values(of: name, in: group) else { continue }
            bytes.withUnsafeBytes { keys.add(from: $0) }
        }
        guard let filters else { return }
        let ids = try reader.values(of: "trace_id", in: group)
        for row in 0..<group.rows {
            guard let trace = ParquetErasure.trace(ids, row) else { continue }
            if !filters.traces.contains(ArchiveHashes.hash(trace)) { traces += 1 }
        }
        guard let known = filters.names else { return }
        try finder?.forEachName(in: Array(0..<group.rows), of: group, reader, tenant: tenant) {
            if !known.contains($0) { lacksNames = true }
        }
    }

    var problems: [String] {
        var problems: [String] = []
        if isDamaged { problems.append("its filter cannot be read") }
        if traces > 0 { problems.append("found \(traces.of("span")) of traces that its filter does not have") }
        if lacksNames { problems.append("found names that its filter does not have") }
        let foreign = keys.ids.subtracting(fieldKeys?.ids ?? keys.ids)
        if fieldKeys?.hasMore == false, !foreign.isEmpty {
            problems.append("found values under \(foreign.count.of("data key")) that its manifest does not name")
        }
        return problems
    }
}

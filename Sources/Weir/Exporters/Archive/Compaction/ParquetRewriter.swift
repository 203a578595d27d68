/// Writes Parquet files anew: rows of several as one file, in larger row groups, and of calls of models likewise.
/// Memory is bounded by a row group, and by what is found on the way: the numbers of its requests, and of its traces a
/// filter.
struct ParquetRewriter: ArchiveRewriter {
    /// A span of a file.
    private struct Place: Hashable {
        let trace: [UInt8]
        let span: [UInt8]
    }

    /// Rows of a row group that stay.
    private struct Piece {
        let reader: ParquetReader
        let group: ParquetReader.Group
        let rows: [Int]
    }

    /// What is found on the way through the spans.
    private struct Findings {
        var gone: Set<Place> = []
        var records: Set<Int64> = []
        var times: ClosedRange<UInt64>?
        var suspects = 0
        var index = ArchiveIndex()
    }

    private let root: String
    private let compression: Compression
    private let keys: ArchiveKeys?
    private let finder: SubjectFinder?

    init(root: String, _ compression: Compression, _ keys: ArchiveKeys?, _ finder: SubjectFinder?) {
        (self.root, self.compression, self.keys, self.finder) = (root, compression, keys, finder)
    }

    func rewrite(
        _ manifests: [ArchiveManifest], to stem: String, without erased: [ErasedSpans]
    ) throws -> ArchiveRewritten {
        guard let first = manifests.first, let journal = UInt64(first.journal, radix: 16),
            var whole = ArchivedSpans.merged(manifests.map(\.spans))
        else { throw FileError.damaged(stem) }
        let key = try keys.key(of: manifests, stem)
        var findings = Findings()
        var files: [ArchiveRewritten.File] = []
        for dataset in ArchiveDataset.allCases {
            let sources = manifests.compactMap { manifest in
                manifest.files.first { $0.dataset == dataset }.map { (manifest, "\(root)/\($0.path)") }
            }
            guard !sources.isEmpty else { continue }
            let file = try Self.create("\(stem).\(files.count)", key)
            let readers = try sources.map { try ParquetReader($0.1, keys) }
            let columns = try Self.columns(of: readers, dataset)
            var writer = ParquetWriter(columns, compression)
            var pages = ParquetPages(compression)
            var pending: [Piece] = []
            if dataset == .rollups { try Self.write(readers, with: &writer, to: file, &pages) }
            for (source, reader) in zip(sources, readers) where dataset != .rollups {
                for group in reader.groups {
                    let rows = try rows(of: group, reader, source.0, dataset, erased, &findings)
                    let count = pending.reduce(rows.count) { $0 + $1.rows.count }
                    let bytes = pending.reduce(group.bytes) { $0 + $1.group.bytes }
                    if count > ParquetRows.maximumRows || bytes > ParquetRows.maximumText {
                        try Self.add(&pending, to: &writer, columns: columns.count)
                        try writer.writeGroup(to: file, &pages)
                    }
                    if !rows.isEmpty { pending.append(Piece(reader: reader, group: group, rows: rows)) }
                }
            }
            try Self.add(&pending, to: &writer, columns: columns.count)
            try writer.writeGroup(to: file, &pages)
            if dataset == .spans {
                whole = ArchivedSpans(
                    of: whole.runs, records: findings.records.count, spans: writer.rowCount, times: findings.times,
                    suspects: findings.suspects)
            }
            let text = ArchiveFooter.text(whole, of: JournalID(value: journal))
            try writer.finish(file, notes: [("weir", text), ("weir.tenant", first.tenant)])
            files.append(try ArchiveRewritten.File(dataset, rows: writer.rowCount, file))
        }
        let bloom = "\(stem).\(files.count)"
        if Directory.has(bloom) { try Directory.removeFile(bloom) }
        return ArchiveRewritten(
            sections: manifests.flatMap(\.sections), whole: whole, files: files, keyID: key?.id,
            filters: try findings.index.write(bloom, key, finder))
    }

    private static func create(_ path: String, _ key: DataKey?) throws(FileError) -> AppendFile {
        if Directory.has(path) { try Directory.removeFile(path) }
        return try AppendFile(creating: path, try key?.seal(path))
    }

    /// What the files have, as it would be written today.
    private static func columns(
        of readers: [ParquetReader], _ dataset: ArchiveDataset
    ) throws(FileError) -> [ParquetColumn] {
        let columns = readers[0].columns.map { column in
            dataset.columns.first { $0.name == column.name } ?? column
        }
        for reader in readers where reader.columns.map(\.name) != columns.map(\.name) { throw .damaged(reader.path) }
        return columns
    }

    // MARK: Rows

    /// The rows that stay.
    private func rows(
        of group: ParquetReader.Group, _ reader: ParquetReader, _ manifest: ArchiveManifest,
        _ dataset: ArchiveDataset, _ erased: [ErasedSpans], _ findings: inout Findings
    ) throws -> [Int] {
        var isGone = [Bool](repeating: false, count: group.rows)
        guard dataset == .spans else {
            if !findings.gone.isEmpty, let column = dataset.spanColumn {
                let (traces, spans) = (
                    try reader.values(of: "trace_id", in: group), try reader.values(of: column, in: group)
                )
                for row in isGone.indices { isGone[row] = findings.gone.contains(Self.place(row, traces, spans)) }
            }
            return isGone.indices.filter { !isGone[$0] }
        }
        for (matcher, traces) in erased {
            let found = try ParquetErasure(root, manifest, matcher, keys).erasedRows(of: group, reader, traces)
            for row in isGone.indices where found[row] { isGone[row] = true }
        }
        if isGone.contains(true) {
            let (traces, spans) = (
                try reader.values(of: "trace_id", in: group), try reader.values(of: "span_id", in: group)
            )
            for row in isGone.indices where isGone[row] { findings.gone.insert(Self.place(row, traces, spans)) }
        }
        let starts = try reader.values(of: "start_unix_nano", in: group)
        let sequences = try reader.values(of: "seq", in: group)
        let traces = try reader.values(of: "trace_id", in: group)
        let day = manifest.place?.day
        let rows = isGone.indices.filter { !isGone[$0] }
        for row in rows {
            if let trace = ParquetErasure.trace(traces, row) { findings.index.traces.add(trace) }
            if let sequence = sequences.number(row) { findings.records.insert(sequence) }
            let start = UInt64(bitPattern: starts.number(row) ?? 0)
            let times = findings.times ?? start...start
            findings.times = min(times.lowerBound, start)...max(times.upperBound, start)
            if day.map({ !$0.times.contains(start) }) ?? false { findings.suspects += 1 }
        }
        try finder?.forEachName(in: rows, of: group, reader, tenant: manifest.tenant) {
            findings.index.names.add($0)
        }
        return rows
    }

    private static func place(
        _ row: Int, _ traces: ParquetReader.Values, _ spans: ParquetReader.Values
    ) -> Place {
        Place(trace: traces.text(row) ?? [], span: spans.text(row) ?? [])
    }

    /// Sums of sums. Nothing of them leads to anybody who was erased.
    private static func write(
        _ readers: [ParquetReader], with writer: inout ParquetWriter, to file: AppendFile, _ pages: inout ParquetPages
    ) throws {
        var rollups = DailyRollups()
        for reader in readers {
            for group in reader.groups {
                try Task.checkCancellation()
                try rollups.add(group, of: reader)
                guard rollups.isFull else { continue }
                rollups.move(to: &writer)
                try writer.writeGroup(to: file, &pages)
            }
        }
        // With the last rows of all.
        rollups.move(to: &writer)
    }

    /// Adds the rows of the pieces, and forgets them.
    private static func add(
        _ pieces: inout [Piece], to writer: inout ParquetWriter, columns: Int
    ) throws {
        guard !pieces.isEmpty else { return }
        writer.begin(rows: pieces.reduce(0) { $0 + $1.rows.count })
        for column in 0..<columns {
            try Task.checkCancellation()
            var numbers: [Int64?] = []
            var bytes: [UInt8] = []
            var places: [Range<Int>?] = []
            for piece in pieces {
                switch try piece.reader.values(of: column, in: piece.group) {
                case .numbers(let values): numbers += piece.rows.map { values[$0] }
                case .texts(let texts, let found):
                    let start = bytes.count
                    bytes += texts
                    places += piece.rows.map { row in
                        found[row].map { $0.lowerBound + start..<$0.upperBound + start }
                    }
                }
            }
            if places.isEmpty {
                writer.numbers { numbers[$0] }
            } else {
                bytes.withUnsafeBytes { bytes in
                    writer.texts(of: { places[$0] }) { $0.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) } }
                }
            }
        }
        writer.end()
        pieces = []
    }
}

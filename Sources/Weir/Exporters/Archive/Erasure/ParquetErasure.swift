/// Erases spans from Parquet files, and their calls of models from the file beside.
struct ParquetErasure: ArchivedErasure {
    /// A span of a file.
    private struct Place: Hashable {
        let trace: [UInt8]
        let span: [UInt8]
    }

    private let root: String
    private let manifest: ArchiveManifest
    private let matcher: SubjectMatcher

    init(_ root: String, _ manifest: ArchiveManifest, _ matcher: SubjectMatcher) {
        self.root = root
        self.manifest = manifest
        self.matcher = matcher
    }

    private func reader(_ dataset: ArchiveDataset) throws(FileError) -> ParquetReader? {
        guard let file = manifest.files.first(where: { $0.dataset == dataset }) else { return nil }
        return try ParquetReader("\(root)/\(file.path)")
    }

    func traces() throws -> Set<TraceID> {
        var traces: Set<TraceID> = []
        guard let reader = try reader(.spans) else { return [] }
        for group in reader.groups {
            let verdicts = try verdicts(on: group, of: reader)
            guard verdicts.contains(.subject) else { continue }
            let ids = try values("trace_id", group, reader)
            for row in 0..<group.rows where verdicts[row] == .subject {
                if let trace = Self.trace(ids, row) { traces.insert(trace) }
            }
        }
        return traces
    }

    func hasSpans(of traces: Set<TraceID>) throws -> Bool {
        guard let reader = try reader(.spans) else { return false }
        return try reader.groups.contains { try erasedRows(of: $0, reader, traces).contains(true) }
    }

    func rewrite(to stem: String, without traces: Set<TraceID>) throws -> [ArchiveErasedFile] {
        var left = ArchivedSpans(of: manifest.spans.sequences, records: 0, spans: 0, times: nil)
        var gone: Set<Place> = []
        var records: Set<Int64> = []
        var ends: ClosedRange<UInt64>?
        return try manifest.files.enumerated().map { index, file in
            let reader = try ParquetReader("\(root)/\(file.path)")
            let isSpans = file.dataset == .spans
            let (new, rows) = try rewrite(reader, to: "\(stem).\(index)", file.dataset ?? .spans) { group in
                let (ids, spans) = (try values("trace_id", group, reader), try values("span_id", group, reader))
                func place(_ row: Int) -> Place { Place(trace: ids.text(row) ?? [], span: spans.text(row) ?? []) }
                guard isSpans else { return (0..<group.rows).map { gone.contains(place($0)) } }
                let erased = try erasedRows(of: group, reader, traces)
                let (starts, sequences) = (
                    try values("start_unix_nano", group, reader), try values("seq", group, reader)
                )
                for row in 0..<group.rows {
                    if erased[row] {
                        gone.insert(place(row))
                        continue
                    }
                    if let sequence = sequences.number(row) { records.insert(sequence) }
                    let start = UInt64(bitPattern: starts.number(row) ?? 0)
                    ends = min(ends?.lowerBound ?? .max, start)...max(ends?.upperBound ?? 0, start)
                }
                return erased
            }
            if isSpans {
                left = ArchivedSpans(of: left.sequences, records: records.count, spans: rows, times: ends)
            }
            return try ArchiveErasedFile(left, rows: rows, new)
        }
    }

    /// - Parameter erased: for each row of a group whether it goes.
    private func rewrite(
        _ reader: ParquetReader, to path: String, _ dataset: ArchiveDataset,
        erased: (ParquetReader.Group) throws -> [Bool]
    ) throws -> (file: AppendFile, rows: Int) {
        if Directory.has(path) { try Directory.removeFile(path) }
        let file = try AppendFile(creating: path)
        // What the file has, as it would be written today.
        let columns = reader.columns.map { column in dataset.columns.first { $0.name == column.name } ?? column }
        var writer = try ParquetWriter(columns, to: file, manifest.compression)
        for group in reader.groups {
            let erased = try erased(group)
            let kept = erased.indices.filter { !erased[$0] }
            guard !kept.isEmpty else { continue }
            writer.begin(rows: kept.count)
            for index in columns.indices {
                switch try reader.values(of: index, in: group) {
                case .numbers(let numbers): try writer.numbers { numbers[kept[$0]] }
                case .texts(let bytes, let places):
                    try bytes.withUnsafeBytes { bytes in
                        try writer.texts { row in
                            places[kept[row]].map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                        }
                    }
                }
            }
            try writer.end()
        }
        try writer.finish(notes: reader.notes)
        return (file, writer.rowCount)
    }

    // MARK: Rows

    private func values(
        _ name: String, _ group: ParquetReader.Group, _ reader: ParquetReader
    ) throws -> ParquetReader.Values {
        guard let column = reader.column(name) else { throw FileError.damaged(reader.path) }
        return try reader.values(of: column, in: group)
    }

    /// Whose each row is, by the column of the family and by the attributes of span, resource and events.
    private func verdicts(
        on group: ParquetReader.Group, of reader: ParquetReader
    ) throws -> [SubjectMatcher.Verdict] {
        var verdicts = [SubjectMatcher.Verdict](repeating: .nobody, count: group.rows)
        func add(_ verdict: SubjectMatcher.Verdict, _ row: Int) {
            if verdict == .subject || verdicts[row] == .nobody { verdicts[row] = verdict }
        }
        if let name = matcher.group.family.column, reader.column(name) != nil {
            let names = try values(name, group, reader)
            for row in 0..<group.rows {
                guard let text = names.text(row), !text.isEmpty else { continue }
                text.withUnsafeBytes { text in
                    guard !Envelope.hasPrefix(text) else { return }
                    add(matcher.names(text) ? .subject : .somebodyElse, row)
                }
            }
        }
        for name in ["attrs", "events", "resource"] {
            guard case .texts(let bytes, let places) = try values(name, group, reader) else { continue }
            // Rows with the same resource have the same place.
            var last: (place: Range<Int>, verdict: SubjectMatcher.Verdict)?
            bytes.withUnsafeBytes { bytes in
                for row in 0..<group.rows {
                    guard let place = places[row] else { continue }
                    if last?.place != place {
                        let text = UnsafeRawBufferPointer(rebasing: bytes[place])
                        last = (place, matcher.verdict(onJSON: text))
                    }
                    if let last { add(last.verdict, row) }
                }
            }
        }
        return verdicts
    }

    /// For each row whether it goes.
    private func erasedRows(
        of group: ParquetReader.Group, _ reader: ParquetReader, _ traces: Set<TraceID>
    ) throws -> [Bool] {
        let none = [Bool](repeating: false, count: group.rows)
        // Every span of a subject is of one of the traces, so where none of them can be, nothing is.
        if let column = reader.column("trace_id"), let filter = try reader.filter(of: column, in: group) {
            let mayHave = traces.contains { trace in
                var text = trace.text
                return text.withUTF8 { filter.contains(XXHash64.hash(UnsafeRawBufferPointer($0))) }
            }
            if !mayHave { return none }
        }
        let ids = try values("trace_id", group, reader)
        let isIn = (0..<group.rows).map { row in Self.trace(ids, row).map { traces.contains($0) } ?? false }
        guard isIn.contains(true) else { return none }
        let verdicts = try verdicts(on: group, of: reader)
        return (0..<group.rows).map { verdicts[$0] == .subject || isIn[$0] && verdicts[$0] == .nobody }
    }

    private static func trace(_ ids: ParquetReader.Values, _ row: Int) -> TraceID? {
        ids.text(row).flatMap { TraceID(String(decoding: $0, as: UTF8.self)) }
    }
}

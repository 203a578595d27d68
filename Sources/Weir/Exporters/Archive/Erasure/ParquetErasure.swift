/// Finds the spans of subjects in a Parquet file.
struct ParquetErasure: ArchivedErasure {
    /// Columns of JSON in which names stand.
    static let texts = ["attrs", "events", "resource"]

    private let root: String
    private let manifest: ArchiveManifest
    private let matcher: SubjectMatcher
    private let keys: ArchiveKeys?

    init(_ root: String, _ manifest: ArchiveManifest, _ matcher: SubjectMatcher, _ keys: ArchiveKeys?) {
        self.keys = keys
        self.root = root
        self.manifest = manifest
        self.matcher = matcher
    }

    private func reader(_ dataset: ArchiveDataset) throws(FileError) -> ParquetReader? {
        guard let file = manifest.files.first(where: { $0.dataset == dataset }) else { return nil }
        return try ParquetReader("\(root)/\(file.path)", keys)
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

    func spans(of traces: Set<TraceID>) throws -> ArchivedSpans? {
        guard let reader = try reader(.spans) else { return nil }
        var found: [ArchivedSpans] = []
        for group in reader.groups {
            let rows = try erasedRows(of: group, reader, traces)
            guard rows.contains(true) else { continue }
            let (sequences, starts) = (
                try values("seq", group, reader), try values("start_unix_nano", group, reader)
            )
            for row in rows.indices where rows[row] {
                let start = UInt64(bitPattern: starts.number(row) ?? 0)
                let sequence = UInt64(bitPattern: sequences.number(row) ?? 0)
                found.append(ArchivedSpans(of: sequence, spans: 1, times: start...start))
            }
        }
        return ArchivedSpans.merged(found)
    }

    // MARK: Rows

    private func values(
        _ name: String, _ group: ParquetReader.Group, _ reader: ParquetReader
    ) throws -> ParquetReader.Values {
        try reader.values(of: name, in: group)
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
                guard let isOne = names.text(row)?.withUnsafeBytes(matcher.isSubjects) ?? nil else { continue }
                add(isOne ? .subject : .somebodyElse, row)
            }
        }
        for name in Self.texts {
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
    func erasedRows(
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

    static func trace(_ ids: ParquetReader.Values, _ row: Int) -> TraceID? {
        ids.text(row).flatMap { TraceID(String(decoding: $0, as: UTF8.self)) }
    }
}

extension ParquetReader {
    func values(of name: String, in group: Group) throws -> Values {
        guard let column = column(name) else { throw FileError.damaged(path) }
        return try values(of: column, in: group)
    }
}

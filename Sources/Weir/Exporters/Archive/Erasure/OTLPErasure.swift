/// Finds the spans of subjects in a file of OTLP/JSON or protobuf.
struct OTLPErasure: ArchivedErasure {
    private let path: String
    private let manifest: ArchiveManifest
    private let matcher: SubjectMatcher
    private let keys: ArchiveKeys?

    init(_ root: String, _ manifest: ArchiveManifest, _ matcher: SubjectMatcher, _ keys: ArchiveKeys?) {
        self.keys = keys
        path = manifest.files.first.map { "\(root)/\($0.path)" } ?? root
        self.manifest = manifest
        self.matcher = matcher
    }

    private func read(_ body: (inout Batch) throws -> Void) throws {
        guard let reader = ArchiveFileReader(path, keys) else { throw FileError.damaged(path) }
        var batch = Batch(decodedLimit: .max)
        try reader.read(into: &batch, body)
    }

    func traces() throws -> Set<TraceID> {
        var traces: Set<TraceID> = []
        try read { batch in
            for (index, verdict) in matcher.verdicts(on: batch).enumerated() where verdict == .subject {
                traces.insert(batch.spans[index].trace)
            }
        }
        return traces
    }

    func hasSpans(of traces: Set<TraceID>) throws -> Bool {
        var count = 0
        try read { batch in
            var traces = traces
            if count == 0 { count = matcher.erase(in: &batch, &traces) }
        }
        return count > 0
    }

    func spans(of traces: Set<TraceID>) throws -> ArchivedSpans? {
        // Of an older Weir nobody knows which message is of which request.
        let sections = manifest.sections.filter { $0.spans.records > 0 }
        let known = sections.compactMap(\.spans.everySequence)
        let sequences = known.count == sections.count ? known.flatMap(\.self) : []
        var found: [ArchivedSpans] = []
        var number = 0
        try read { batch in
            defer { number += 1 }
            var starts: [UInt64] = []
            for (index, verdict) in matcher.verdicts(on: batch).enumerated() where verdict != .somebodyElse {
                let span = batch.spans[index]
                if verdict == .subject || traces.contains(span.trace) { starts.append(span.startTime) }
            }
            guard let first = starts.min(), let last = starts.max() else { return }
            let records = number < sequences.count ? [sequences[number]...sequences[number]] : manifest.spans.runs
            found.append(ArchivedSpans(of: records, records: 1, spans: starts.count, times: first...last))
        }
        return ArchivedSpans.merged(found)
    }
}

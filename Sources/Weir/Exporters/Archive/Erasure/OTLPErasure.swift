/// Erases spans from a file of OTLP/JSON or protobuf: a message is a record of the journal.
struct OTLPErasure: ArchivedErasure {
    /// Bytes of messages that are compressed together.
    private static let piece = 1 << 20

    private let path: String
    private let manifest: ArchiveManifest
    private let matcher: SubjectMatcher

    init(_ root: String, _ manifest: ArchiveManifest, _ matcher: SubjectMatcher) {
        path = manifest.files.first.map { "\(root)/\($0.path)" } ?? root
        self.manifest = manifest
        self.matcher = matcher
    }

    private func read(_ body: (inout Batch) throws -> Void) throws {
        guard let reader = ArchiveFileReader(path) else { throw FileError.damaged(path) }
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

    func rewrite(to stem: String, without traces: Set<TraceID>) throws -> [ArchiveErasedFile] {
        let path = "\(stem).0"
        if Directory.has(path) { try Directory.removeFile(path) }
        let file = try AppendFile(creating: path)
        var compressor = try Compressor(manifest.compression)
        var pending: [UInt8] = []
        var left = ArchivedSpans(of: manifest.spans.runs, records: 0, spans: 0, times: nil)
        let sequences = manifest.spans.everySequence
        var kept: [UInt64] = []
        var number = 0
        func flush() throws {
            guard !pending.isEmpty else { return }
            try pending.withUnsafeBytes { try compressor.writeWhole($0) { try file.append($0) } }
            pending = []
        }
        var json = OTLPJSONEncoder()
        var proto = OTLPEncoder()
        try read { batch in
            var traces = traces
            _ = matcher.erase(in: &batch, &traces)
            defer { number += 1 }
            guard batch.spanCount > 0 else { return }
            if let sequences, number < sequences.count { kept.append(sequences[number]) }
            left.add(recordOf: batch)
            if manifest.format == .json {
                pending += Array(json.bytes(of: batch)) + [UInt8(ascii: "\n")]
            } else {
                guard let message = proto.encode(batch) else { throw FileError.damaged(self.path) }
                withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { pending += $0 }
                withExtendedLifetime(message) { pending += $0.bytes }
            }
            if pending.count >= Self.piece { try flush() }
        }
        try flush()
        if !kept.isEmpty { left.know(kept) }
        guard let journal = UInt64(manifest.journal, radix: 16) else { throw FileError.damaged(self.path) }
        let footer = ArchiveFooter.bytes(left, of: JournalID(value: journal), manifest.compression)
        try footer.withUnsafeBytes { try file.append($0) }
        return [try ArchiveErasedFile(left, rows: left.spans, file)]
    }
}

extension ArchivedSpans {
    /// These are the records, of which there is at least one.
    fileprivate mutating func know(_ sequences: [UInt64]) {
        var known: ArchivedSpans?
        for sequence in sequences {
            let one = ArchivedSpans(of: sequence, spans: 0)
            if known == nil { known = one } else { known?.append(one) }
        }
        guard let known else { return }
        self = ArchivedSpans(of: known.runs, records: records, spans: spans, times: times)
    }

    /// Counts a record of the same journal, within the sequences.
    fileprivate mutating func add(recordOf batch: borrowing Batch) {
        var ends: ClosedRange<UInt64>?
        for span in batch.spans where !span.isDropped {
            ends = min(ends?.lowerBound ?? .max, span.startTime)...max(ends?.upperBound ?? 0, span.startTime)
        }
        let times = times.flatMap { own in
            ends.map { min(own.lowerBound, $0.lowerBound)...max(own.upperBound, $0.upperBound) }
        }
        self = ArchivedSpans(
            of: runs, records: records + 1, spans: spans + batch.spanCount, times: times ?? self.times ?? ends)
    }
}

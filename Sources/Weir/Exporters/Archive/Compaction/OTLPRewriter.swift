/// Writes files of OTLP/JSON or protobuf anew. A message is a record of the journal, with its spans of an hour; what
/// nothing is erased of stays byte for byte.
struct OTLPRewriter: ArchiveRewriter {
    /// Bytes of messages that are compressed together: about what a delivered batch has under load, so that merging
    /// makes nothing larger.
    private static let piece = 4 << 20

    /// What of a section is left.
    fileprivate struct Left {
        let section: ArchiveSection
        let sequences: [UInt64]?
        let day: Day?
        /// Messages that were read.
        var read = 0
        var kept: [UInt64] = []
        var records = 0
        var spans = 0
        var times: ClosedRange<UInt64>?
        var suspects = 0
    }

    private let root: String
    private let format: ArchiveFormat
    private let compression: Compression
    private let keys: ArchiveKeys?
    private let finder: SubjectFinder?

    init(
        root: String, _ format: ArchiveFormat, _ compression: Compression, _ keys: ArchiveKeys?,
        _ finder: SubjectFinder?
    ) {
        (self.root, self.format, self.compression) = (root, format, compression)
        (self.keys, self.finder) = (keys, finder)
    }

    func rewrite(
        _ manifests: [ArchiveManifest], to stem: String, without erased: [ErasedSpans]
    ) throws -> ArchiveRewritten {
        let path = "\(stem).0"
        for path in [path, "\(stem).1"] where Directory.has(path) { try Directory.removeFile(path) }
        guard let first = manifests.first else { throw FileError.damaged(path) }
        let key = try keys.key(of: manifests, path)
        let file = try AppendFile(creating: path, try key?.seal(path))
        var compressor = try Compressor(compression)
        var pending: [UInt8] = []
        var table = SeekTable()
        func flush() throws {
            guard !pending.isEmpty else { return }
            let start = file.end.length
            try pending.withUnsafeBytes { try compressor.writeWhole($0) { try file.append($0) } }
            table.append(compressed: file.end.length - start, content: pending.count)
            pending.removeAll(keepingCapacity: true)
        }
        var sections: [ArchiveSection] = []
        var archived = ArchiveIndex()
        for manifest in manifests {
            sections += try read(manifest, erased, &archived) { message in
                pending += message
                if pending.count >= Self.piece { try flush() }
            }
        }
        try flush()
        guard let whole = ArchivedSpans.merged(sections.map(\.spans)),
            let journal = UInt64(first.journal, radix: 16)
        else { throw FileError.damaged(path) }
        let footer = ArchiveFooter.bytes(whole, of: JournalID(value: journal), compression, table)
        try footer.withUnsafeBytes { try file.append($0) }
        return ArchiveRewritten(
            sections: sections, whole: whole, files: [try .init(nil, rows: whole.spans, file)], keyID: key?.id,
            filters: try archived.write("\(stem).1", key, finder))
    }

    /// - Returns: what is left of the file's sections.
    private func read(
        _ manifest: ArchiveManifest, _ erased: [ErasedSpans], _ archived: inout ArchiveIndex,
        _ keep: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> [ArchiveSection] {
        let path = manifest.files.first.map { "\(root)/\($0.path)" } ?? root
        guard let reader = ArchiveFileReader(path, keys) else { throw FileError.damaged(path) }
        let day = manifest.place?.day
        var left = manifest.sections.map { Left(section: $0, sequences: $0.spans.everySequence, day: day) }
        var index = 0
        var batch = Batch(decodedLimit: .max)
        var json = OTLPJSONEncoder()
        var proto = OTLPEncoder()
        try reader.readFramed(into: &batch) { batch, message in
            try Task.checkCancellation()
            while index < left.count - 1, left[index].read == left[index].section.spans.records { index += 1 }
            var count = 0
            for (matcher, theirs) in erased {
                var theirs = theirs
                count += matcher.erase(in: &batch, &theirs)
            }
            left[index].add(batch)
            var entries = ArchiveIndex.Entries()
            entries.add(batch, tenant: manifest.tenant, finder)
            archived.add(entries)
            guard batch.spanCount > 0 else { return }
            guard count > 0 else { return try keep(message) }
            if format == .json {
                let line = Array(json.bytes(of: batch)) + [UInt8(ascii: "\n")]
                return try line.withUnsafeBytes { try keep($0) }
            }
            guard let message = proto.encode(batch) else { throw FileError.damaged(path) }
            try withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { try keep($0) }
            try withExtendedLifetime(message) { try keep($0.bytes) }
        }
        // Which message is of which record is known by counting.
        guard left.count == 1 || left.allSatisfy({ $0.read == $0.section.spans.records }) else {
            throw FileError.damaged(path)
        }
        return left.map(\.result)
    }
}

extension OTLPRewriter.Left {
    /// Counts a message, without what was erased of it.
    fileprivate mutating func add(_ batch: borrowing Batch) {
        defer { read += 1 }
        guard batch.spanCount > 0 else { return }
        if let sequences, read < sequences.count { kept.append(sequences[read]) }
        records += 1
        spans += batch.spanCount
        for span in batch.spans where !span.isDropped {
            times = min(times?.lowerBound ?? .max, span.startTime)...max(times?.upperBound ?? 0, span.startTime)
            if day.map({ !$0.times.contains(span.startTime) }) ?? false { suspects += 1 }
        }
    }

    /// The records that are left, where they are known; else those that there were.
    fileprivate var result: ArchiveSection {
        var known: ArchivedSpans?
        for sequence in kept {
            let one = ArchivedSpans(of: sequence, spans: 0)
            if known == nil { known = one } else { known?.append(one) }
        }
        return ArchiveSection(
            hour: section.hour,
            spans: ArchivedSpans(
                of: known?.runs ?? section.spans.runs, records: records, spans: spans, times: times,
                suspects: suspects))
    }
}

/// Takes spans of erased subjects out of files of letters: dead ones, and records that are parked.
struct LetterErasure {
    let matcher: SubjectMatcher
    /// All of the subjects' traces.
    let traces: Set<TraceID>
    /// Of letters that are encrypted; nil where there is no keystore.
    let codec: (any RecordCodec)?

    struct Erased: Equatable, Sendable {
        var spans = 0
        /// Letters that were changed or are gone.
        var letters = 0
        /// The traces that subjects have spans in.
        var traces: Set<TraceID> = []

        mutating func add(_ other: Erased) {
            spans += other.spans
            letters += other.letters
            traces.formUnion(other.traces)
        }
    }

    /// For who keeps others from the file.
    /// - Parameter isTrial: changes nothing.
    func run(_ name: String, in directory: String, isTrial: Bool, at now: Timestamp) async throws -> Erased {
        let file = LineFile(name, in: directory)
        var erased = Erased()
        guard Directory.has(file.path) else { return erased }
        // What was taken from the file before is left out, since places of lines are not what they were.
        let done = try Self.done(in: file)
        let draft = try isTrial ? nil : Self.begin(file.path + ".new")
        var filter = RecordErasure()
        var reader = try LineReader(file.path, from: 0)
        while let line = try reader.next({ (entry: LetterEntry(parsing: $0), bytes: Array($0)) }) {
            var kept: [UInt8]? = line.bytes
            switch line.entry {
            case .done: kept = nil
            case .record(let letter) where letter.record.tenant == matcher.group.tenant:
                switch try await erase(letter, &filter, &erased) {
                case .unchanged: break
                case .gone: kept = nil
                // Nothing is sealed that is not kept.
                case .changed where isTrial: break
                case .changed(let record):
                    let left = KeptRecord(journal: letter.journal, record: record)
                    kept = try await self.line(of: left, in: directory, at: now)
                }
            // What cannot be read is somebody's to look at.
            case .record, nil: break
            }
            if let draft, let kept, reader.offset > done { try kept.withUnsafeBytes { try draft.append($0) } }
        }
        guard let draft else { return erased }
        try draft.sync()
        try draft.close()
        if erased.letters > 0 {
            try Directory.move(draft.path, to: file.path)
            try Directory.sync(directory)
        } else {
            try Directory.removeFile(draft.path)
        }
        return erased
    }

    /// Up to where everything is done with.
    private static func done(in file: LineFile) throws(FileError) -> Int {
        var done = 0
        var reader = try LineReader(file.path, from: 0)
        while let entry = try reader.next({ LetterEntry(parsing: $0, withPayload: false) }) {
            if case .done(let offset)? = entry { done = max(done, offset) }
        }
        return done
    }

    /// In place of what a process that died has left.
    private static func begin(_ path: String) throws(FileError) -> AppendFile {
        if Directory.has(path) { try Directory.removeFile(path) }
        return try AppendFile(creating: path)
    }

    private func line(of left: KeptRecord, in directory: String, at now: Timestamp) async throws -> [UInt8] {
        let exporter = directory.split(separator: "/").last.map { String($0.map { $0 == "~" ? "/" : $0 }) } ?? ""
        let letter = Letter(time: now, exporter: exporter, reason: "spans of it were erased", kept: left)
        return try await [letter].sealed(by: codec).flatMap(\.line)
    }

    private enum Left {
        case unchanged
        case changed(JournalRecord)
        case gone
    }

    private func erase(
        _ letter: KeptRecord, _ filter: inout RecordErasure, _ erased: inout Erased
    ) async throws -> Left {
        var record = letter.record
        if record.codec != 0 {
            guard let opened = try await [letter].opened(by: codec).first?.record else { return .unchanged }
            // One that cannot be read any more says nothing.
            guard opened.spanCount > 0 || record.spanCount == 0 else { return .unchanged }
            record = opened
        }
        var found = traces
        guard let left = try filter.erase(record, matcher, &found) else { return .unchanged }
        erased.spans += record.spanCount - left.spanCount
        erased.letters += 1
        erased.traces.formUnion(found.subtracting(traces))
        return left.spanCount > 0 || !left.section.bytes.isEmpty ? .changed(left) : .gone
    }
}

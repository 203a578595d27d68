import Logging

/// Brings spans of an archive back into hot tables, with the journal and the sequence that they had: past all
/// processors, each once, and none that was erased since.
struct ArchiveRestore {
    struct Outcome: Equatable, Sendable {
        var files = 0
        var spans = 0
        /// Spans that the tables have.
        var present = 0
        /// Spans that an exporter is about to store: it would do it again.
        var pending = 0
        /// Spans of subjects that were erased.
        var erased = 0
        /// Files of OTLP that have no hour, or whose records are not known; what has no manifest that can be read; and
        /// manifests whose files are missing.
        var left: [String] = []
        /// Sealed files that do not open, and why.
        var unreadable: [String: Unreadable] = [:]
        /// Manifests whose files are in the bucket only.
        var away = 0
    }

    /// Of one transaction.
    private static let maxRecords = 1_024
    private static let maxBytes = 16 << 20

    private let catalog: ArchiveCatalog
    private let tables: HotTables
    private let tenant: String
    private let matchers: [SubjectMatcher]
    /// How far the tables' exporter is in each journal that it reads.
    private let cursors: [JournalID: Cursor]
    /// As long as it is held, nobody erases, and nobody else restores.
    private let lock: FileLock

    /// - Parameters:
    ///   - catalog: of one tenant.
    ///   - cursors: read before this, so that the tables have what they say is done.
    init(
        _ catalog: ArchiveCatalog, tenant: String, into tables: HotTables, _ register: ErasureRegister,
        cursors: [JournalID: Cursor] = [:]
    ) throws {
        self.catalog = catalog
        self.tenant = tenant
        self.tables = tables
        self.cursors = cursors
        guard let lock = try register.lockPlaces() else {
            throw ErasureFailure("another process erases, restores or replays")
        }
        self.lock = lock
        // Whoever asked meanwhile has asked before.
        var register = register
        try register.load()
        matchers = try register.subjects(of: register.tombstones).groups[tenant, default: []].map { SubjectMatcher($0) }
    }

    /// May be done again, after whatever ended it.
    func run(at now: Timestamp) async throws -> Outcome {
        var outcome = Outcome()
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { dates.append($0) }
        for date in dates {
            let looks = try await catalog.looks(into: date, again: {}) { found -> Bool? in
                guard case .manifest(let manifest, let path, _) = found, manifest.tenant == tenant else { return true }
                do {
                    try await restore(manifest, path, &outcome, at: now)
                    return true
                } catch let error as FileError where error.isMissing {
                    // What it was merged into has requests that the tables have by then, and takes none twice.
                    return nil
                }
            }
            for (found, look) in looks {
                switch found {
                case .broken(let path), .unlisted(let path): outcome.left.append(path)
                case .away(let manifest, _, _): if manifest.tenant == tenant { outcome.away += 1 }
                case .manifest(_, let path, _): if look == nil { outcome.left.append(path) }
                }
            }
        }
        return outcome
    }

    private func restore(
        _ manifest: ArchiveManifest, _ path: String, _ outcome: inout Outcome, at now: Timestamp
    ) async throws {
        // Rows say themselves of which record they are.
        guard let sequences = manifest.format == .parquet ? [] : Self.sequences(of: manifest) else {
            return outcome.left.append(path)
        }
        guard manifest.spans.spans > 0 else { return }
        if let problem = catalog.keys.problem(manifest, in: catalog.root) {
            outcome.unreadable[manifest.files.first?.path ?? ""] = problem
            return
        }
        try await restore(manifest, sequences, &outcome, at: now)
    }

    /// Spans of a request that started in an hour.
    private struct Place {
        let hour: Int
        let sequence: UInt64
        /// Such that the tables have them on the day on which they stand in the archive.
        let received: Timestamp

        var start: UInt64 { UInt64(hour) &* 3_600_000_000_000 }

        /// The day that the tables have the spans on.
        var day: Day { Day(Timestamp(nanoseconds: ClockWindow(receivedAt: received).clamp(start))) }
    }

    /// Of the messages, in their order; nil where they are not known.
    private static func sequences(of manifest: ArchiveManifest) -> [UInt64]? {
        guard manifest.place != nil else { return nil }
        var all: [UInt64] = []
        for section in manifest.sections where section.spans.records > 0 {
            guard section.hour != nil, let sequences = section.spans.everySequence else { return nil }
            all += sequences
        }
        return all
    }

    private func restore(
        _ manifest: ArchiveManifest, _ sequences: [UInt64], _ outcome: inout Outcome, at now: Timestamp
    ) async throws {
        guard let journal = UInt64(manifest.journal, radix: 16).map({ JournalID(value: $0) }) else {
            return outcome.left.append(manifest.files.first?.path ?? "")
        }
        let path = "\(catalog.root)/\(manifest.files.first?.path ?? "")"
        // Tables may be new, or lack days: of a journal that is here, only the cursor knows what is still to come.
        let cursor =
            try cursors[journal] ?? Cursor(next: tables.lastSequence(of: journal).map { max($0, $0 &+ 1) } ?? .max)
        var present: Set<UInt64> = []
        var hour: Int?
        var day: Day?
        var batch = Batch(decodedLimit: .max)
        var encoder = OTLPEncoder()
        var records: [JournalRecord] = []
        func store() throws {
            guard !records.isEmpty else { return }
            try tables.restore(
                FrozenBatch(journal: journal, records: records, recoveredThrough: 0), at: now)
            outcome.spans += records.reduce(0) { $0 + $1.spanCount }
            records = []
        }
        try read(path, manifest, sequences, into: &batch) { batch, place in
            guard catalog.isWanted(start: place.start, on: place.day) else { return }
            if place.hour != hour || place.day != day {
                // A request may have spans in several hours, and is a record in each.
                try store()
                (hour, day) = (place.hour, place.day)
                present = try tables.sequences(of: journal, startedIn: place.hour, on: place.day, at: now)
            }
            guard !present.contains(place.sequence) else {
                outcome.present += batch.spanCount
                return
            }
            guard cursor.isDone(place.sequence) else {
                outcome.pending += batch.spanCount
                return
            }
            for matcher in matchers {
                var traces: Set<TraceID> = []
                outcome.erased += matcher.erase(in: &batch, &traces)
            }
            guard batch.spanCount > 0 else { return }
            guard let payload = encoder.encode(batch) else { throw FileError.damaged(path) }
            records.append(
                JournalRecord(
                    sequence: place.sequence, tenant: tenant, receivedAt: place.received, spanCount: batch.spanCount,
                    payload: payload))
            if records.count >= Self.maxRecords || records.reduce(0, { $0 + $1.payload.count }) >= Self.maxBytes {
                try store()
            }
        }
        try store()
        outcome.files += 1
    }

    /// Calls `body` with all messages of a file, with the spans of each hour by themselves.
    private func read(
        _ path: String, _ manifest: ArchiveManifest, _ sequences: [UInt64], into batch: inout Batch,
        _ body: (inout Batch, Place) throws -> Void
    ) throws {
        if manifest.format == .parquet {
            return try ParquetMessages(path, catalog.keys).read(into: &batch) { batch, hour, sequence, received in
                try body(&batch, Place(hour: hour, sequence: sequence, received: received))
            }
        }
        guard let reader = ArchiveFileReader(path, catalog.keys), let day = manifest.place?.day else {
            throw FileError.damaged(path)
        }
        var number = 0
        try reader.read(into: &batch) { batch in
            guard number < sequences.count else { throw FileError.damaged(path) }
            defer { number += 1 }
            var hours: [Int] = []
            for span in batch.spans {
                let hour = ArchivePartition.hour(of: span.startTime)
                if hours.last != hour, !hours.contains(hour) { hours.append(hour) }
            }
            for hour in hours {
                if hours.count > 1 { batch.select { ArchivePartition.hour(of: $0.startTime) == hour } }
                let received = ClockWindow.receipt(of: UInt64(hour) &* 3_600_000_000_000, on: day)
                try body(&batch, Place(hour: hour, sequence: sequences[number], received: received))
            }
        }
        guard number == sequences.count else { throw FileError.damaged(path) }
    }
}

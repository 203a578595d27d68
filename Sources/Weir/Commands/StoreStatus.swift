/// What the hot tables hold, whichever database they are in.
struct StoreStatus {
    struct Day {
        let day: Weir.Day
        /// In SQLite as the ledger counts them; in Postgres as the last vacuum or analyze did, nil before the first.
        var spans: Int?
        /// With indexes.
        var bytes: Int
        /// Why it is kept though its time is over.
        var kept: String?
    }

    struct Journal {
        let id: JournalID
        /// Nil where nothing of it is stored yet.
        var stored: StoredJournal?
        /// What the exporter has yet to store of it; nil for a journal that this machine does not have.
        var backlog: Backlog?
    }

    /// Of the tables; the newest where files differ.
    let schemaVersion: Int
    /// Oldest first.
    private(set) var days: [Day]
    /// By id.
    private(set) var journals: [Journal]
    let rejects: Int
    let bytes: Int
    private let now: Timestamp

    init(_ status: SQLiteStatus, at now: Timestamp = .now()) {
        self.now = now
        schemaVersion = status.days.map(\.schemaVersion).max() ?? 0
        days = status.days.map { Day(day: $0.day, spans: $0.spans, bytes: $0.bytes) }
        journals = status.journals.map { Journal(id: $0.id, stored: $0) }
        rejects = status.rejects
        bytes = status.bytes
    }

    init(_ status: PostgresStatus, at now: Timestamp = .now()) {
        self.now = now
        schemaVersion = status.migrations.applied
        var days: [Weir.Day: Day] = [:]
        for partition in status.partitions {
            var day = days[partition.day] ?? Day(day: partition.day, spans: nil, bytes: 0)
            day.bytes += partition.bytes
            if partition.table == "spans" { day.spans = partition.rowsEstimate }
            days[partition.day] = day
        }
        self.days = days.values.sorted { $0.day < $1.day }
        journals = status.journals.map { Journal(id: $0.id, stored: $0) }
        rejects = status.rejects
        bytes = status.databaseBytes
    }

    mutating func note(_ kept: [Weir.Day: String]) {
        for index in days.indices { days[index].kept = kept[days[index].day] }
    }

    /// - Parameter backlogs: of the journals of this machine that the exporter reads.
    mutating func note(_ backlogs: [JournalID: Backlog]) {
        for index in journals.indices { journals[index].backlog = backlogs[journals[index].id] }
        for (id, backlog) in backlogs where !journals.contains(where: { $0.id == id }) {
            journals.append(Journal(id: id, backlog: backlog))
        }
        journals.sort { $0.id.value < $1.id.value }
    }

    /// Nanoseconds since the journal's newest record was stored.
    private func age(of journal: StoredJournal) -> Int64 {
        Int64(clamping: now.nanoseconds) - Int64(clamping: journal.updatedAt.nanoseconds)
    }

    /// An object in one line.
    var json: String {
        var line = JSONLine()
        line.add("schema_version", Int64(schemaVersion))
        line.add("bytes", Int64(bytes))
        line.add("rejects", Int64(rejects))
        line.add("days", json: "[" + days.map(\.json).joined(separator: ",") + "]")
        line.add("journals", json: "[" + journals.map(\.json).joined(separator: ",") + "]")
        return line.line
    }

    var text: String {
        let isAnyKept = self.days.contains { $0.kept != nil }
        var days = TextTable(
            [.init(title: "DAY"), .init(title: "SPANS", isNumber: true), .init(title: "SIZE", isNumber: true)]
                + (isAnyKept ? [.init(title: "KEPT", isFlexible: true)] : []))
        for day in self.days {
            days.add(
                [day.day.text, day.spans.map { "\($0)" } ?? "-", ShortText.bytes(day.bytes)]
                    + (isAnyKept ? [day.kept ?? ""] : []))
        }
        var journals = TextTable([
            .init(title: "JOURNAL"), .init(title: "FLOOR", isNumber: true),
            .init(title: "LAST RECORD", isNumber: true), .init(title: "SPANS", isNumber: true),
            .init(title: "REJECTED", isNumber: true), .init(title: "NEWEST STORED"),
            .init(title: "AGE", isNumber: true), .init(title: "BEHIND", isNumber: true),
            .init(title: "LAG", isNumber: true),
        ])
        for journal in self.journals {
            let stored = journal.stored.map { stored in
                [
                    "\(stored.floor)", "\(stored.lastSequence)", "\(stored.spans)", "\(stored.rejected)",
                    ShortText.time(stored.updatedAt), ShortText.duration(age(of: stored)),
                ]
            }
            let backlog = journal.backlog.map { backlog in
                ["\(backlog.load.spans)", ShortText.duration(backlog.age(at: now).map { Int64(clamping: $0) })]
            }
            journals.add(
                [journal.id.text] + (stored ?? ["-", "-", "0", "0", "-", "-"]) + (backlog ?? ["-", "-"]))
        }
        return """
            schema version \(schemaVersion), \(ShortText.bytes(bytes)), \(rejects.of("reject"))

            \(days.text)
            \(journals.text)
            """
    }
}

extension StoreStatus.Day {
    fileprivate var json: String {
        var line = JSONLine()
        line.add("day", day.text)
        line.add("spans", spans.map { Int64($0) })
        line.add("bytes", Int64(bytes))
        if let kept { line.add("kept", kept) }
        return line.line
    }
}

extension StoreStatus.Journal {
    fileprivate var json: String {
        var line = JSONLine()
        line.add("journal", id.text)
        line.add("floor", stored.map { Int64(clamping: $0.floor) })
        line.add("last_sequence", stored.map { Int64(clamping: $0.lastSequence) })
        line.add("spans", Int64(stored?.spans ?? 0))
        line.add("rejected", Int64(stored?.rejected ?? 0))
        line.add("updated_at", stored?.updatedAt)
        line.add("behind_records", backlog.map { Int64($0.load.records) })
        line.add("behind_spans", backlog.map { Int64($0.load.spans) })
        line.add("behind_since", backlog?.oldest)
        return line.line
    }
}

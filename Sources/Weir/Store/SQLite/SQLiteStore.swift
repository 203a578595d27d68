import Logging

/// The hot tables in SQLite, written by one exporter: a file for each day, each written in a transaction of its own
/// that says which records it has. So whatever ends between two files, each can be asked what it lacks.
struct SQLiteStore {
    let directory: SQLiteDirectory
    private let retention: Retention
    private let logger: Logger
    private var files: SQLiteFiles
    /// Nil until something is to be written.
    private var meta: SQLiteMeta?

    init(in directory: SQLiteDirectory, _ retention: Retention, _ logger: Logger) {
        self.directory = directory
        self.retention = retention
        self.logger = logger
        files = SQLiteFiles(in: directory)
    }

    /// The number of the tenant in the tables.
    mutating func tenantID(of name: String, at now: Timestamp) throws(SQLiteFailure) -> Int32 {
        do {
            return try openMeta(at: now).tenantID(of: name, at: now)
        } catch {
            closeMeta()
            throw error
        }
    }

    /// Writes the rows, as far as they are not there yet. When this throws, some days have theirs and others none: both
    /// is found out when the same records come again.
    /// - Parameters:
    ///   - time: by which days are over, see ``RetentionClock``.
    ///   - counts: what was written is added, also when this throws.
    ///   - encode: a span that is refused, as OTLP protobuf.
    mutating func write(
        _ rows: borrowing HotRows, of records: SQLiteRecords, at now: Timestamp, overBy time: Timestamp,
        _ counts: inout SQLiteCounts,
        encode: (SpanRow) throws -> [UInt8]
    ) throws(SQLiteFailure) {
        var days: [Day: [Int]] = [:]
        // Rows that would go with the next look are not stored.
        let (retention, tenants) = (retention, try openMeta(at: now).tenants)
        var given: Set<Int32> = []
        for (id, tenant) in tenants where retention.duration(of: tenant.name) < retention.longest { given.insert(id) }
        func isOver(_ day: Day, _ tenant: Int32) -> Bool {
            given.contains(tenant) && retention.isOver(day, for: tenants[tenant]?.name ?? "", at: time)
        }
        for index in rows.spans.indices {
            let day = rows.spans[index].day
            if !given.isEmpty, isOver(day, rows.spans[index].tenantID) {
                counts.expired += rows.spans[index].isSampledOut ? 0 : 1
            } else {
                days[day, default: []].append(index)
            }
        }
        for row in rows.sampledOut where !isOver(row.day, row.key.tenantID) { days[row.day, default: []] += [] }
        let expired = Set(retention.expired(days.keys, at: time))
        for (day, indices) in days.sorted(by: { $0.key < $1.key }) {
            // Its file would go with the next tick, and must not be made anew while somebody else has the old one open.
            guard !expired.contains(day) else {
                counts.expired += indices.count { !rows.spans[$0].isSampledOut }
                continue
            }
            do {
                let over = given.filter { isOver(day, $0) }
                try write(indices, on: day, of: rows, records, without: over, at: now, &counts, encode: encode)
            } catch {
                // Whatever is wrong with it, the next attempt begins with what the directory then holds.
                files.close(day)
                closeMeta()
                throw error
            }
        }
    }

    private mutating func write(
        _ indices: [Int], on day: Day, of rows: borrowing HotRows, _ records: SQLiteRecords, without over: Set<Int32>,
        at now: Timestamp, _ counts: inout SQLiteCounts, encode: (SpanRow) throws -> [UInt8]
    ) throws(SQLiteFailure) {
        let meta = try openMeta(at: now)
        let midnight = SQLiteMidnight(rows, on: day)
        try midnight.settle(dayBefore: { () throws(SQLiteFailure) in try known(day + -1, at: now) }, at: now)
        let explained = try midnight.explained { () throws(SQLiteFailure) in try known(day + 1, at: now) }
        let file = try files.file(of: day, at: now)
        var isTried = false
        defer { counts.isTried = counts.isTried || isTried }
        let written = try file.write(at: now) { db in
            var writer = try SQLiteDayWriter(records, db)
            isTried = true
            try writer.write(indices, on: day, of: rows, meta.tenants, without: over, at: now)
            try midnight.takeBack(explained, db)
            if !writer.refused.isEmpty {
                // Before the ledger says that these records are done with. Should it never say so, they come again, and
                // are kept once.
                let rejects = try writer.refused.map { index, reason in
                    SQLiteMeta.Reject(row: rows.spans[index], reason: reason, span: try encode(rows.spans[index]))
                }
                try meta.keep(rejects, of: records.journal, at: now)
            }
            return writer
        }
        counts.add(written.counts)
        if let first = written.refused.first {
            logger.warning(
                "put spans into the rejects",
                metadata: ["spans": "\(written.refused.count)", "file": "\(file.path)", "reason": "\(first.reason)"])
        }
    }

    /// The file of a day that has one.
    private mutating func known(_ day: Day, at now: Timestamp) throws(SQLiteFailure) -> SQLiteFile? {
        guard day.number >= 0, Directory.has(directory.path(of: day)) else { return nil }
        return try files.file(of: day, at: now)
    }

    // MARK: Housekeeping

    /// Takes tenants' rows out of a day's file, or the file away where nobody else has any.
    mutating func remove(
        on day: Day, at now: Timestamp, where isOver: (String) -> Bool
    ) throws(SQLiteFailure) -> SQLiteErasure.Removed {
        files.close(day)
        return try SQLiteErasure(directory: directory).remove(on: day, at: now, where: isOver)
    }

    mutating func drop(_ day: Day) throws(SQLiteFailure) {
        files.close(day)
        try directory.remove(day)
    }

    /// Rejects are kept as long as a day is.
    /// - Parameter oldest: the first day that is there.
    func forgetRejects(at now: Timestamp, oldest: Day?) throws(SQLiteFailure) {
        let kept = UInt64(max(0, retention.longest / .nanoseconds(1)))
        guard now.nanoseconds > kept else { return }
        let limit = Timestamp(nanoseconds: now.nanoseconds - kept)
        try meta?.forgetRejects(before: min(limit, oldest?.start ?? limit), at: now)
    }

    func checkpointIfIdle(at now: Timestamp) {
        files.checkpointIfIdle(at: now)
        meta?.checkpointIfIdle(at: now)
    }

    mutating func close() {
        files.closeAll()
        closeMeta()
    }

    private mutating func openMeta(at now: Timestamp) throws(SQLiteFailure) -> SQLiteMeta {
        if let meta { return meta }
        try directory.create()
        let meta = try SQLiteMeta(in: directory, at: now)
        self.meta = meta
        return meta
    }

    private mutating func closeMeta() {
        meta?.close()
        meta = nil
    }
}

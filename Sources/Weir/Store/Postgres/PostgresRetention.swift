/// Drops partitions whose day is over for good, and what only they needed, without blocking readers or writers.
///
/// A partition is marked, detached and dropped. What an earlier run did not finish, this one does: a detach that was
/// interrupted, and a marked table that is detached. A table that somebody else detached is not marked and stays.
enum PostgresRetention {
    private struct Partition {
        let name: PostgresPartitionName
        let isAttached: Bool
        let isPending: Bool
    }

    private static let mark = "dropped by Weir: its day is over"
    private static let maxRows = 10_000
    /// 1 MiB, without the texts that stand elsewhere: those of a span may be many times its row.
    private static let maxPages = 128
    /// A span may start a day after it was received, and a clock may be off by as much.
    private static let slack = 2

    /// Days of which there is anything to drop.
    static func days(on connection: PostgresConnection) throws(PostgresError) -> Set<Day> {
        Set(try partitions(on: connection).map(\.name.day))
    }

    /// The newest day that has spans; partitions of coming days have none yet.
    static func newestDay(on connection: PostgresConnection) throws(PostgresError) -> Day? {
        let tables = try partitions(on: connection).map(\.name).filter { $0.table == "spans" }
        for table in tables.sorted(by: { $0.day > $1.day })
        where try connection.run("SELECT EXISTS (SELECT 1 FROM \(table))").bool(0, 0) {
            return table.day
        }
        return nil
    }

    /// - Returns: false if another process does it.
    static func drop(_ days: [Day], on connection: PostgresConnection) throws(PostgresError) -> Bool {
        let done: Void? = try PostgresLock.hold(.retention, on: connection, patience: .zero) {
            () throws(PostgresError) in
            // Of one table, no second partition can be detached before.
            for partition in try partitions(on: connection) where partition.isPending {
                try connection.run("ALTER TABLE \(partition.name.table) DETACH PARTITION \(partition.name) FINALIZE")
            }
            for partition in try partitions(on: connection)
            where !partition.isAttached || days.contains(partition.name.day) {
                try drop(partition, on: connection)
            }
        }
        return done != nil
    }

    /// Who has rows on a day, by their numbers.
    static func tenants(of day: Day, on connection: PostgresConnection) throws(PostgresError) -> [Int64: String] {
        let tables = try partitions(on: connection).filter { $0.name.day == day && $0.isAttached }
        guard !tables.isEmpty else { return [:] }
        let hasRows = tables.map { "EXISTS (SELECT 1 FROM \($0.name) r WHERE r.tenant_id = t.id)" }
        let rows = try connection.run(
            "SELECT t.id, t.name FROM tenants t WHERE \(hasRows.joined(separator: " OR "))")
        var tenants: [Int64: String] = [:]
        for row in 0..<rows.count {
            if let id = rows.int(row, 0) { tenants[id] = rows.text(row, 1) ?? "" }
        }
        return tenants
    }

    /// Deletes the rows of tenants of a day that others keep longer. Where another process does it, nothing.
    ///
    /// A part at a time, none of which waits for a row: so nobody waits long for it, and never in a circle. What
    /// somebody has locked, what comes meanwhile, and the rest of what did not end go the next time.
    static func remove(
        _ tenants: [Int64], of day: Day, on connection: PostgresConnection
    ) throws(PostgresError) {
        let ids = tenants.sorted().map(String.init).joined(separator: ",")
        _ = try PostgresLock.hold(.retention, on: connection, patience: .zero) { () throws(PostgresError) in
            for table in try partitions(on: connection) where table.name.day == day && table.isAttached {
                let pages = try connection.run(
                    "SELECT pg_relation_size('\(table.name)') / current_setting('block_size')::integer"
                ).int(0, 0)
                for first in stride(from: 0, to: Int(pages ?? 0), by: maxPages) {
                    try connection.run(
                        """
                        DELETE FROM \(table.name) WHERE ctid = ANY (ARRAY(
                            SELECT ctid FROM \(table.name)
                            WHERE ctid >= '(\(first),0)' AND ctid < '(\(first + maxPages),0)' AND tenant_id IN (\(ids))
                            FOR UPDATE SKIP LOCKED))
                        """)
                }
            }
        }
    }

    private static func drop(_ partition: Partition, on connection: PostgresConnection) throws(PostgresError) {
        let name = partition.name
        if partition.isAttached {
            try connection.run("COMMENT ON TABLE \(name) IS '\(mark)'")
            try connection.run("ALTER TABLE \(name.table) DETACH PARTITION \(name) CONCURRENTLY")
        }
        try connection.runBriefly("DROP TABLE \(name)")
    }

    private static func partitions(on connection: PostgresConnection) throws(PostgresError) -> [Partition] {
        let rows = try connection.run(
            """
            SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
            FROM pg_class c
            LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent IN (\(PostgresPartitions.parents))
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
                AND (i.inhrelid IS NOT NULL OR obj_description(c.oid, 'pg_class') = '\(mark)')
            ORDER BY c.relname
            """)
        return (0..<rows.count).compactMap { row in
            PostgresPartitionName(parsing: rows.text(row, 0) ?? "").map {
                Partition(name: $0, isAttached: rows.bool(row, 1), isPending: rows.bool(row, 2))
            }
        }
    }

    /// Removes the resources and scopes that no span points to any more, and the rejects of that time.
    /// - Parameter kept: the first day of which there may be spans.
    static func prune(before kept: Day, on connection: PostgresConnection) throws(PostgresError) {
        let lastSeen = Day(number: max(0, kept.number - slack)).text
        for table in ["resources", "scopes"] {
            try delete(from: table, key: "id", where: "last_seen < '\(lastSeen)'", on: connection)
        }
        // A window may be a month long, and what was said of it must not be said again.
        let crossed = Day(number: max(0, kept.number - 31)).text
        try delete(
            from: "budget_crossings", key: "ctid", where: "crossed_at < '\(crossed) 00:00:00+00'", on: connection)
        try delete(from: "rejects", key: "ctid", where: "rejected_at < '\(kept.text) 00:00:00+00'", on: connection)
    }

    /// A part at a time, so that nobody waits long for a row.
    private static func delete(
        from table: String, key: String, where condition: String, on connection: PostgresConnection
    ) throws(PostgresError) {
        var count = 0
        repeat {
            count = try connection.run(
                """
                DELETE FROM \(table) WHERE \(key) = ANY (ARRAY(
                    SELECT \(key) FROM \(table) WHERE \(condition) ORDER BY \(key) LIMIT \(maxRows)
                    FOR UPDATE SKIP LOCKED))
                """
            ).affectedCount
        } while count == maxRows
    }
}

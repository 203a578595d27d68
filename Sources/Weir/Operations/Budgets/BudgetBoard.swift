import Synchronization

/// What every budget of the process has used, for who asks before a call: in memory.
final class BudgetBoard: Sendable {
    /// What the tables call a user of a tenant, the id itself first; nil where nobody knows.
    typealias Names = @Sendable (_ user: String, _ tenant: String) -> [String]
    typealias NamesIfKnown = (_ user: String, _ tenant: String) -> [String]?

    private let books = Mutex<[String: BudgetBook]>([:])
    private let names = Mutex<Names?>({ user, _ in [user] })

    /// - Parameter book: nil where the budgets are not there any more.
    func show(_ book: BudgetBook?, of id: String) {
        books.withLock { $0[id] = book }
    }

    /// Whoever asks knows a user's id, and not the token that redaction makes of it.
    func call(_ names: Names?) {
        self.names.withLock { $0 = names }
    }

    /// Nil where nobody knows.
    func calls(_ user: String, tenant: String) -> [String]? { names.withLock { $0 }?(user, tenant) }

    /// - Returns: nil where something has not been read yet, or nothing for so long that nobody knows.
    func statuses(
        tenant: String, ids: [BudgetScope: String], at now: Timestamp
    ) -> (asOf: Timestamp, statuses: [BudgetBook.Status])? {
        let books = books.withLock { Array($0.values) }
        var oldest = now
        for book in books {
            guard let readAt = book.readAt, now.nanoseconds < readAt.nanoseconds + Self.maximumAge else { return nil }
            oldest = min(oldest, readAt)
        }
        guard let names = names.withLock({ $0 }) else { return nil }
        let users = ids[.user].map { names($0, tenant) } ?? []
        return (oldest, books.flatMap { Self.statuses(in: $0, tenant: tenant, ids, users) })
    }

    /// Of a user with several names it is the strictest that holds.
    private static func statuses(
        in book: BudgetBook, tenant: String, _ ids: [BudgetScope: String], _ users: [String]
    ) -> [BudgetBook.Status] {
        var found = book.statuses(tenant: tenant, ids: ids)
        for user in users where user != ids[.user] {
            var ids = ids
            ids[.user] = user
            for status in book.statuses(tenant: tenant, ids: ids) where status.scope == .user {
                guard let place = found.firstIndex(where: { $0.scope == .user && $0.name == status.name }) else {
                    found.append(status)
                    continue
                }
                if status.isStricter(than: found[place]) { found[place] = status }
            }
        }
        return found
    }

    /// In nanoseconds.
    static let maximumAge: UInt64 = 5 * 60_000_000_000
}

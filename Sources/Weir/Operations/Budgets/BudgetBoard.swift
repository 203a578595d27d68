import Synchronization

/// What every budget of the process has used, for who asks before a call: in memory.
final class BudgetBoard: Sendable {
    private let books = Mutex<[String: BudgetBook]>([:])

    /// - Parameter book: nil where the budgets are not there any more.
    func show(_ book: BudgetBook?, of id: String) {
        books.withLock { $0[id] = book }
    }

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
        return (oldest, books.flatMap { $0.statuses(tenant: tenant, ids: ids) })
    }

    /// In nanoseconds.
    static let maximumAge: UInt64 = 5 * 60_000_000_000
}

/// A step of the tables' history. Once released, it is never changed: the database has its checksum.
struct PostgresMigration: Sendable {
    /// From 1, without gaps.
    let version: Int
    let name: String
    /// Runs as one transaction.
    let sql: String

    /// In their order.
    static let all = [first, second, third, fourth, fifth, sixth]
}

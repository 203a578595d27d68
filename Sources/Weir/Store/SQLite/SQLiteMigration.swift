/// A step of the history of a kind of file. Once released, it is never changed: the file has its checksum.
struct SQLiteMigration: Sendable {
    /// From 1, without gaps.
    let version: Int
    let name: String
    /// Runs as one transaction.
    let sql: String

    /// Those of the file of a day, in their order.
    static let day = [firstDay, secondDay, thirdDay, fourthDay, fifthDay]
    /// Those of the file of what outlives days, in their order.
    static let meta = [firstMeta, secondMeta, thirdMeta]
    /// Those of the file of data keys, in their order.
    static let keys = [firstKeys, secondKeys]
}

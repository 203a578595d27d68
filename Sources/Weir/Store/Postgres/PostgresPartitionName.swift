/// `spans_20261120`
struct PostgresPartitionName: Hashable, CustomStringConvertible {
    let table: String
    let day: Day

    init(table: String, day: Day) {
        self.table = table
        self.day = day
    }

    /// Nil for the name of anything else.
    init?(parsing name: String) {
        guard let table = PostgresPartitions.tables.first(where: { name.hasPrefix("\($0)_") }),
            let day = Day(compact: name.dropFirst(table.count + 1))
        else { return nil }
        self.init(table: table, day: day)
    }

    var description: String { "\(table)_\(day.compact)" }
}

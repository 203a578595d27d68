extension DailyRollups {
    /// Adds the rows of a row group.
    mutating func add(_ group: ParquetReader.Group, of reader: ParquetReader) throws {
        let columns = try Self.columns.map { try reader.values(of: $0.name, in: group) }
        for row in 0..<group.rows {
            func number(_ column: Int) -> Int64 { columns[column].number(row) ?? 0 }
            func text(_ column: Int) -> String { String(decoding: columns[column].text(row) ?? [], as: UTF8.self) }
            guard let durations = DurationHistogram(json: text(13)) else { throw FileError.damaged(reader.path) }
            let operation = text(4)
            let key = RollupRow.Key(
                minute: number(0) / Self.microseconds, tenantID: 0,
                operation: OperationKind.allCases.first { $0.name == operation } ?? .other,
                kind: UInt8(clamping: number(3)), service: text(1), name: text(2), model: text(5))
            add(
                RollupRow(
                    spans: number(6), errors: number(7), duration: number(8), durations: durations,
                    inputTokens: number(9), outputTokens: number(10), totalCost: number(11), unpriced: number(12)),
                key)
        }
    }
}

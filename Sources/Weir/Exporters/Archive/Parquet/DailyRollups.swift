/// What spans add to a day of an operation: rows of `span_rollup_daily`. A day may have several of an operation, which
/// are right together.
struct DailyRollups {
    /// In the order in which they are written.
    static let columns = [
        ParquetColumn(name: "day", kind: .timestamp),
        ParquetColumn(name: "service", kind: .text, repeats: true, isShared: true),
        ParquetColumn(name: "name", kind: .text, repeats: true),
        ParquetColumn(name: "kind", kind: .int32),
        ParquetColumn(name: "operation", kind: .text, repeats: true),
        ParquetColumn(name: "model", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "spans", kind: .int64),
        ParquetColumn(name: "errors", kind: .int64),
        ParquetColumn(name: "duration_ns", kind: .int64),
        ParquetColumn(name: "input_tokens", kind: .int64),
        ParquetColumn(name: "output_tokens", kind: .int64),
        ParquetColumn(name: "total_cost", kind: .decimal(scale: 12)),
        ParquetColumn(name: "unpriced", kind: .int64),
        ParquetColumn(name: "durations", kind: .text, repeats: true, hasBounds: false),
    ]

    /// Of a day.
    static let minutes: Int64 = 24 * 60
    /// What the column of costs has digits for, in 10⁻¹² USD.
    private static let maximumCost: Int64 = 999_999_999_999_999_999
    /// Of a minute.
    static let microseconds: Int64 = 60_000_000

    private var rows: [RollupRow.Key: RollupRow] = [:]
    /// Bytes of the texts of keys.
    private var textCount = 0
    /// Those that have rows, whatever was moved to a writer; nil where all do.
    var known: KnownOperations?

    /// Of a file.
    static let maximumOperations = 10_000

    /// Of what a new file gets. Merging has all operations that its files have.
    static var ofFile: DailyRollups {
        var rollups = DailyRollups()
        rollups.known = KnownOperations(limit: maximumOperations)
        return rollups
    }

    var isEmpty: Bool { rows.isEmpty }
    var count: Int { rows.count }
    var isFull: Bool { rows.count >= ParquetRows.maximumRows || textCount >= ParquetRows.maximumText }

    mutating func add(_ row: RollupRow, _ key: RollupRow.Key) {
        add(row, to: key, named: key.name)
    }

    private mutating func add(_ row: RollupRow, to key: RollupRow.Key, named name: String) {
        let key = RollupRow.Key(
            minute: key.minute / Self.minutes * Self.minutes, tenantID: 0, operation: key.operation, kind: key.kind,
            service: key.service, name: name, model: key.model)
        if let place = rows.index(forKey: key) {
            rows.values[place].merge(row)
        } else if known?.admits(key) ?? true {
            rows[key] = row
            textCount += key.service.utf8.count + key.name.utf8.count + key.model.utf8.count
        } else {
            add(row, to: key, named: "\(KnownOperations.other)")
        }
    }

    /// Adds all rows to those that the writer has, and forgets them.
    mutating func move(to writer: inout ParquetWriter) {
        guard !isEmpty else { return }
        var all: [(key: RollupRow.Key, row: RollupRow)] = []
        for (key, row) in rows.sorted(by: { $0.key < $1.key }) {
            all += row.parts(of: Self.maximumCost).map { (key, $0) }
        }
        writer.begin(rows: all.count)
        writer.numbers { all[$0].key.minute * Self.microseconds }
        writer.names(all.map(\.key.service)) { $0 }
        writer.names(all.map(\.key.name)) { $0 }
        writer.numbers { Int64(all[$0].key.kind) }
        writer.names(OperationKind.allCases.map(\.name)) { Int(all[$0].key.operation.rawValue) }
        var models = ParquetTexts()
        for (key, _) in all { models.add(key.model) }
        writer.texts { all[$0].key.model.isEmpty ? nil : models.bytes($0) }
        writer.numbers { all[$0].row.spans }
        writer.numbers { all[$0].row.errors }
        writer.numbers { all[$0].row.duration }
        writer.numbers { all[$0].row.inputTokens }
        writer.numbers { all[$0].row.outputTokens }
        writer.numbers { all[$0].row.totalCost }
        writer.numbers { all[$0].row.unpriced }
        writer.names(all.map(\.row.durations.json)) { $0 }
        writer.end()
        rows = [:]
        textCount = 0
    }
}

extension RollupRow {
    /// Rows that are it together, none of which costs more.
    fileprivate func parts(of maximumCost: Int64) -> [RollupRow] {
        var (parts, rest) = ([] as [RollupRow], self)
        while rest.totalCost > maximumCost {
            parts.append(RollupRow(totalCost: maximumCost))
            rest.totalCost -= maximumCost
        }
        return [rest] + parts
    }
}

extension RollupRow.Key: Comparable {
    static func < (left: Self, right: Self) -> Bool {
        (left.minute, left.service, left.name, left.model, left.kind, left.operation.rawValue)
            < (right.minute, right.service, right.name, right.model, right.kind, right.operation.rawValue)
    }
}

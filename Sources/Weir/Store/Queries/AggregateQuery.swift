/// A row that sums up what has the same key.
protocol AggregateRow: Sendable {
    associatedtype Key: Hashable
    var key: Key { get }
    mutating func add(_ other: Self)
    /// Whether it stands above the other.
    func precedes(_ other: Self) -> Bool
}

extension Array where Element: AggregateRow {
    /// Adds up rows of one key, these and those.
    mutating func add(_ found: [Element]) {
        var places: [Element.Key: Int] = [:]
        var sums: [Element] = []
        for row in self + found {
            if let place = places[row.key] {
                sums[place].add(row)
            } else {
                places[row.key] = sums.count
                sums.append(row)
            }
        }
        self = sums
    }
}

/// A question whose rows sum up spans. A day gives a part of each sum.
protocol AggregateQuery: StoreQuery where Row: AggregateRow {}

/// What ``AggregateQuery`` is willing to collect.
enum AggregateLimits {
    static let maximumRows = 50_000
}

extension AggregateQuery {
    /// All sums of the part: which of them are the largest is not known before the last part.
    func wanted(after rows: [Row]) -> Int { AggregateLimits.maximumRows + 1 }

    func merge(_ found: [Row], into rows: inout [Row]) throws(QueryError) {
        rows.add(found)
        guard rows.count <= AggregateLimits.maximumRows else {
            let limit = AggregateLimits.maximumRows
            throw .tooMuch("found more than \(limit) sums, wanted a shorter window, a longer step or more conditions")
        }
    }

    func page(of rows: [Row]) -> Page<Row> {
        Page(rows.sorted { $0.precedes($1) }, limit: limit)
    }
}

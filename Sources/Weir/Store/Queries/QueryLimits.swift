/// How many rows a query gives.
struct QueryLimits: Sendable {
    let `default`: Int
    let maximum: Int

    func check(_ limit: Int) throws(QueryError) {
        guard (1...maximum).contains(limit) else {
            throw .invalid("found limit \(limit), wanted 1...\(maximum)")
        }
    }
}

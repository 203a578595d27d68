/// How many spans of a day a manifest of an archive has, or had until its files were removed.
struct ArchivedCount: Sendable {
    let isParquet: Bool
    /// The records that they are of, and perhaps others; in their order.
    let records: [ClosedRange<UInt64>]
    let spans: Int

    fileprivate func mayShare(_ other: ArchivedCount) -> Bool {
        var rest = other.records[...]
        for run in records {
            rest = rest.drop { $0.upperBound < run.lowerBound }
            if let next = rest.first, next.lowerBound <= run.upperBound { return true }
        }
        return false
    }
}

extension [ArchivedCount] {
    /// Each span once: where an archive's format was changed, rows and OTLP may be of the same records. Of those only
    /// the larger part is counted.
    var spans: Int {
        let (rows, messages) = (filter(\.isParquet), filter { !$0.isParquet })
        return rows.sum + messages.sum - Swift.min(rows.shared(with: messages), messages.shared(with: rows))
    }

    private var sum: Int { reduce(0) { $0 + $1.spans } }

    private func shared(with others: [ArchivedCount]) -> Int {
        filter { count in others.contains { $0.mayShare(count) } }.sum
    }
}

import Synchronization

/// Buckets for each of many names, for all event loops of a receiver.
final class RateLimiter: Sendable {
    /// Names that are told apart; those beyond share what one has.
    static let maximumNames = 10_000

    /// Of what there is in a name's buckets.
    private let rates: @Sendable (String) -> [Int]
    private let buckets = Mutex<[String: [Bucket]]>([:])

    init(rates: @escaping @Sendable (String) -> [Int]) {
        self.rates = rates
    }

    /// - Returns: which bucket of the name is empty, its rate, and how long to wait; nil where none is.
    func admit(_ name: String, at now: Timestamp) -> (index: Int, rate: Int, pause: Duration)? {
        change(name, at: now) { buckets in
            for index in buckets.indices {
                if let pause = buckets[index].pause(at: now) { return (index, buckets[index].rate, pause) }
            }
            return nil
        }
    }

    /// Takes these amounts out of the name's buckets, in their order.
    func charge(_ name: String, _ amounts: [Int], at now: Timestamp) {
        change(name, at: now) { buckets in
            for (index, amount) in zip(buckets.indices, amounts) { buckets[index].take(amount) }
        }
    }

    private func change<Value>(_ name: String, at now: Timestamp, _ body: (inout [Bucket]) -> Value) -> Value {
        self.buckets.withLock { all in
            if all[name] == nil, all.count >= Self.maximumNames {
                // Whoever took nothing for a second is as good as unknown.
                all = all.filter { _, buckets in
                    var buckets = buckets
                    return buckets.indices.contains { !buckets[$0].isFull(at: now) }
                }
            }
            let place = all[name] != nil || all.count < Self.maximumNames ? name : ""
            return body(&all[place, default: rates(place).map { Bucket(rate: $0, at: now) }])
        }
    }
}

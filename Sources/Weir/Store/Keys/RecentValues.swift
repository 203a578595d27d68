/// Remembers the values that were asked for lately: at least `limit`, at most twice as many.
struct RecentValues<Key: Hashable, Value> {
    private let limit: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    mutating func find(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old[key] else { return nil }
        keep(value, for: key)
        return value
    }

    mutating func keep(_ value: Value, for key: Key) {
        if young.count >= limit {
            old = young
            young = [:]
        }
        young[key] = value
    }

    mutating func forget(where isMeant: (Value) -> Bool) {
        young = young.filter { !isMeant($0.value) }
        old = old.filter { !isMeant($0.value) }
    }
}

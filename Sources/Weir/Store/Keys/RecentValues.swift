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

/// What is known of names that others have sent. Long ones are worked out each time: what is remembered of them would
/// have no bound.
extension RecentValues where Key == [UInt8] {
    static var maxName: Int { 256 }

    mutating func find(name: [UInt8]) -> Value? {
        name.count <= Self.maxName ? find(name) : nil
    }

    mutating func keep(_ value: Value, forName name: [UInt8]) {
        if name.count <= Self.maxName { keep(value, for: name) }
    }
}

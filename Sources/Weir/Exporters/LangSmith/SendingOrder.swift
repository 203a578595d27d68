/// Which batch is sent after which others, so that parents are there before their children as far as that can be.
///
/// A batch waits for those that were begun before it and hold spans above its own, so none waits for itself.
struct SendingOrder {
    private var before: [Int: Set<Int>] = [:]

    /// A batch need not be held any more.
    mutating func begin(_ id: Int, after links: [SpanLink], _ index: TraceIndex) {
        var others: Set<Int> = []
        for link in links {
            let other = index.batchAbove(link)
            if other != 0, other != id, before[other] != nil { others.insert(other) }
        }
        before[id] = others
    }

    func isActive(_ id: Int) -> Bool { before[id] != nil }

    /// In a fixed order.
    func predecessors(of id: Int) -> [Int] { before[id]?.sorted() ?? [] }

    /// The batch is sent, or failed.
    mutating func end(_ id: Int) {
        before[id] = nil
    }
}

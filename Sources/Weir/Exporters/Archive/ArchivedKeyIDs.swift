/// The ids of the data keys that values in a file are encrypted with, whatever the file itself is sealed with.
struct ArchivedKeyIDs: Equatable, Sendable {
    /// That are kept.
    static let maxCount = 1000

    private(set) var ids: Set<UInt64> = []
    /// There are others.
    private(set) var hasMore = false

    /// Adds those of all values in encoded spans. What only looks like such a value may be among them.
    mutating func add(from bytes: UnsafeRawBufferPointer) {
        Envelope.forEachKeyID(in: bytes) { add($0) }
    }

    private mutating func add(_ id: UInt64) {
        guard !ids.contains(id) else { return }
        guard ids.count < Self.maxCount else {
            hasMore = true
            return
        }
        ids.insert(id)
    }

    mutating func add(_ others: ArchivedKeyIDs) {
        others.ids.sorted().forEach { add($0) }
        hasMore = hasMore || others.hasMore
    }

    /// Of files together; nil where of one it is not known.
    static func merged(_ all: [ArchivedKeyIDs?]) -> ArchivedKeyIDs? {
        all.reduce(ArchivedKeyIDs()) { found, next in
            guard var found, let next else { return nil }
            found.add(next)
            return found
        }
    }
}

// MARK: - JSON

extension ArchivedKeyIDs {
    var tree: JSONTree {
        let ids = JSONTree.array(ids.sorted().map { .text($0.digits(16, radix: 16)) })
        return hasMore ? .fields(["key_ids": ids, "more": .bool(true)]) : .fields(["key_ids": ids])
    }

    init?(_ tree: JSONTree) {
        guard case .array(let elements)? = tree["key_ids"], elements.count <= Self.maxCount else { return nil }
        let found = elements.compactMap { $0.asText.flatMap { UInt64($0, radix: 16) } }
        guard found.count == elements.count else { return nil }
        ids = Set(found)
        if case .bool(true)? = tree["more"] { hasMore = true }
    }
}

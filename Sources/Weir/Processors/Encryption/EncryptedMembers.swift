/// What is known of the values that stand inside of the attribute that is gone through, and were encrypted.
struct EncryptedMembers {
    typealias Index = (name: AttributeKey, text: String)

    /// Of one attribute. One that has more is encrypted as a whole.
    static let maxCount = 1000
    /// Of one batch: each takes some hundred bytes more than it had.
    static let maxInBatch = 100_000

    /// Paths that another processor wants to be encrypted, in this batch.
    private(set) var marked: Set<[UInt8]> = []
    /// In the present attribute, those included that were ciphertext already.
    private(set) var count = 0
    private var countInBatch = 0
    /// The attribute is one that another processor wants something of.
    private(set) var isMarked = false
    /// Whether the attribute is one of a span whose values are to be found.
    var takesIndices = false
    var indices: [Index] = []
    /// Why it goes no further.
    var problem: KeyError?

    mutating func begin(batch marked: Set<[UInt8]>) {
        self.marked = marked
        countInBatch = 0
        takesIndices = false
        indices.removeAll()
    }

    mutating func begin(attribute: AttributeRecord) {
        count = 0
        isMarked = attribute.mustEncryptMembers
        problem = nil
    }

    /// - Returns: whether there may be one more.
    mutating func add() -> Bool {
        count += 1
        countInBatch += 1
        return count <= Self.maxCount && countInBatch <= Self.maxInBatch
    }

    mutating func takeIndices() -> [Index] {
        guard takesIndices else { return [] }
        takesIndices = false
        defer { indices.removeAll() }
        return indices
    }
}

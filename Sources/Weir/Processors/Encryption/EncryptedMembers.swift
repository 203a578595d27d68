/// What is known of the values that stand inside of the attribute that is gone through, and were encrypted.
struct EncryptedMembers {
    typealias Index = (name: AttributeKey, text: String)

    /// Of one attribute. One that has more is encrypted as a whole.
    static let maxCount = 1000
    /// Of one batch: each takes some hundred bytes more than it had.
    static let maxInBatch = 100_000

    /// Paths that another processor wants to be encrypted, in the present attribute, and those that were not met yet.
    private var marked: Set<[UInt8]> = []
    private var unmet: Set<[UInt8]> = []
    /// In the present attribute, those included that were ciphertext already.
    private var count = 0
    private var countInBatch = 0
    var verdicts = StepVerdicts()
    /// Whether the attribute is one of a span whose values are to be found.
    var takesIndices = false
    var indices: [Index] = []
    /// Why it goes no further.
    var problem: KeyError?

    mutating func beginBatch() {
        countInBatch = 0
        takesIndices = false
        indices.removeAll()
    }

    /// - Parameter marked: none where no other processor wants anything of the attribute.
    mutating func begin(attribute marked: Set<[UInt8]>) {
        count = 0
        self.marked = marked
        unmet = marked
        verdicts.removeAll()
        problem = nil
    }

    /// Whoever wants something of the attribute encrypted has seen it there.
    var isComplete: Bool { unmet.isEmpty }

    func isMarked(_ path: [UInt8]) -> Bool { !marked.isEmpty && marked.contains(path) }

    /// What stands at the path is to be encrypted; what stands below goes with it.
    mutating func meet(_ path: [UInt8]) {
        guard !unmet.isEmpty else { return }
        unmet.remove(path)
        let below = path + [UInt8(ascii: ".")]
        unmet = unmet.filter { !$0.starts(with: below) }
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

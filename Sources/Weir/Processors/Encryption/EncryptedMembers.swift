/// What is known of the values that stand inside of the attribute that is gone through, and were encrypted.
struct EncryptedMembers {
    typealias Index = (name: AttributeKey, text: String)

    /// Of one attribute. One that has more is encrypted as a whole.
    static let maxCount = 1000
    /// Of one batch: each takes some hundred bytes more than it had.
    static let maxInBatch = 100_000

    /// Paths that another processor wants to be encrypted, in the present attribute.
    private var marked: Set<[UInt8]> = []
    /// Those that were not met yet, each with a dot behind it, in order: what stands below a path is behind it.
    private var unmet: [[UInt8]] = []
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
        unmet = marked.map(Self.dotted).sorted(by: Self.areInOrder)
        verdicts.removeAll()
        problem = nil
    }

    /// Whoever wants something of the attribute encrypted has seen it there.
    var isComplete: Bool { unmet.isEmpty }

    func isMarked(_ path: [UInt8]) -> Bool { !marked.isEmpty && marked.contains(path) }

    /// What stands at the path is to be encrypted; what stands below goes with it.
    mutating func meet(_ path: [UInt8]) {
        guard !unmet.isEmpty else { return }
        // Somebody else has chosen the paths: they may be many, long, and alike but for their ends.
        let dotted = Self.dotted(path)
        var (start, behind) = (0, unmet.count)
        while start < behind {
            let middle = (start + behind) / 2
            if Self.areInOrder(unmet[middle], dotted) { start = middle + 1 } else { behind = middle }
        }
        var end = start
        while end < unmet.count, Self.begins(unmet[end], with: dotted) { end += 1 }
        unmet.removeSubrange(start..<end)
    }

    private static func dotted(_ path: [UInt8]) -> [UInt8] { path + [UInt8(ascii: ".")] }

    private static func begins(_ path: [UInt8], with start: [UInt8]) -> Bool {
        path.withUnsafeBytes { path in
            start.withUnsafeBytes { AttributeKey.areEqual($0, UnsafeRawBufferPointer(rebasing: path.prefix($0.count))) }
        }
    }

    /// Whether the first is before the other by its bytes.
    private static func areInOrder(_ path: [UInt8], _ other: [UInt8]) -> Bool {
        path.withUnsafeBytes { path in
            other.withUnsafeBytes { other in
                let count = min(path.count, other.count)
                var at = 0
                while at + 8 <= count,
                    path.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                        == other.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                { at += 8 }
                while at < count, path[at] == other[at] { at += 1 }
                return at < count ? path[at] < other[at] : path.count < other.count
            }
        }
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

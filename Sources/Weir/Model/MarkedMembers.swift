/// What one processor wants another to encrypt in values of attributes: paths, each of which has the key of the
/// attribute and the names of members, with dots between. Spans are alike, so that many attributes share theirs.
struct MarkedMembers {
    /// Of a batch.
    static let maxPaths = 10_000

    private var groups: [Set<[UInt8]>] = []
    private var numbers: [Set<[UInt8]>: UInt16] = [:]
    /// Paths.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The paths of ``AttributeRecord/marks``.
    subscript(number: UInt16) -> Set<[UInt8]> {
        groups.indices.contains(Int(number) - 1) ? groups[Int(number) - 1] : []
    }

    /// - Returns: the number of the paths; nil where they are too many, of which none is kept.
    mutating func add(_ paths: Set<[UInt8]>) -> UInt16? {
        if let number = numbers[paths] { return number }
        guard !paths.isEmpty, count + paths.count <= Self.maxPaths else { return nil }
        groups.append(paths)
        count += paths.count
        numbers[paths] = UInt16(groups.count)
        return UInt16(groups.count)
    }
}

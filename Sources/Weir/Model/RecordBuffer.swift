/// A growing array of trivial records that belongs to one arena.
///
/// `Array` would check bounds and uniqueness at every access; in the decoder that costs 30 % (docs/decisions.md).
struct RecordBuffer<Record: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Record>
    var count = 0
    private var capacity: Int
    private let limit: Int
    /// Whether something was not appended because the limit was reached. What the buffer holds is then not to be used.
    private(set) var isOverfull = false

    /// Records of room behind the capacity, so that text in the side buffer can be read eight bytes at a time, as in a
    /// payload.
    private static var slack: Int { Payload.slack / MemoryLayout<Record>.stride + 1 }

    /// - Parameter limit: bytes that the records may take.
    init(capacity: Int, limit: Int) {
        self.capacity = max(1, capacity)
        self.limit = max(self.capacity, limit / MemoryLayout<Record>.stride)
        base = .allocate(capacity: self.capacity + Self.slack)
    }

    deinit {
        base.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var indices: Range<Int> { 0..<count }
    var byteCapacity: Int { capacity * MemoryLayout<Record>.stride }

    @inline(__always)
    subscript(index: Int) -> Record {
        unsafeAddress { UnsafePointer(base + index) }
        nonmutating unsafeMutableAddress { base + index }
    }

    @inline(__always)
    mutating func append(_ record: Record) {
        if count == capacity { guard grow(to: count + 1) else { return } }
        base[count] = record
        count += 1
    }

    /// Appends records from elsewhere, which may be this buffer.
    mutating func append(_ source: UnsafePointer<Record>, count added: Int) {
        guard count + added > capacity else {
            (base + count).update(from: source, count: added)
            count += added
            return
        }
        let own = source >= UnsafePointer(base) && source < UnsafePointer(base + count)
        let offset = own ? source - UnsafePointer(base) : 0
        guard grow(to: count + added) else { return }
        (base + count).update(from: own ? UnsafePointer(base + offset) : source, count: added)
        count += added
    }

    /// Makes room for `wanted` records in all. Over the limit, the buffer is overfull from then on.
    mutating func reserve(_ wanted: Int) {
        if wanted > capacity { _ = grow(to: wanted) }
    }

    /// Makes room for what is expected, which may turn out to be less: never more than may be.
    mutating func expect(_ wanted: Int) {
        if wanted > capacity, wanted <= limit { _ = grow(to: wanted, exactly: true) }
    }

    /// Forgets the records, and gives back memory that one large request had made it take.
    mutating func reset(keeping bytes: Int) {
        count = 0
        isOverfull = false
        guard byteCapacity > bytes else { return }
        base.deallocate()
        capacity = max(1, bytes / MemoryLayout<Record>.stride)
        base = .allocate(capacity: capacity + Self.slack)
    }

    @inline(never)
    private mutating func grow(to wanted: Int, exactly: Bool = false) -> Bool {
        guard wanted <= limit else {
            isOverfull = true
            return false
        }
        capacity = exactly ? wanted : min(limit, max(wanted, capacity * 2))
        let larger = UnsafeMutablePointer<Record>.allocate(capacity: capacity + Self.slack)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
        return true
    }
}

/// Memory that may be read from and written to a disk directly: it begins at a multiple of the largest block.
struct AlignedBuffer: ~Copyable {
    static let alignment = 4096

    private(set) var memory: UnsafeMutableRawBufferPointer

    /// - Parameter capacity: bytes, all zero.
    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: Self.alignment)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        memory.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// Makes room for `capacity` bytes. What was in it is lost.
    mutating func resize(_ capacity: Int) {
        memory.deallocate()
        memory = .allocate(byteCount: capacity, alignment: Self.alignment)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }
}

extension Int {
    /// The next multiple of `block`, a power of two.
    func roundedUp(to block: Int) -> Int { (self + block - 1) & ~(block - 1) }
}

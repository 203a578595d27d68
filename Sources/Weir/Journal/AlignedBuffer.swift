/// Memory that may be read from and written to a disk directly: it begins at a multiple of the largest block.
struct AlignedBuffer: ~Copyable {
    static let alignment = 4096

    private(set) var memory: UnsafeMutableRawBufferPointer

    /// - Parameter capacity: bytes, all zero; a multiple of 8.
    init(capacity: Int) {
        memory = Self.zeros(capacity)
    }

    private static func zeros(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: alignment)
        // Where nothing is optimised, as in tests, byte by byte would take a millisecond.
        memory.initializeMemory(as: UInt64.self, repeating: 0)
        return memory
    }

    deinit {
        memory.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// Makes room for `capacity` bytes. What was in it is lost.
    mutating func resize(_ capacity: Int) {
        memory.deallocate()
        memory = Self.zeros(capacity)
    }
}

extension Int {
    /// The next multiple of `block`, a power of two.
    func roundedUp(to block: Int) -> Int { (self + block - 1) & ~(block - 1) }
}

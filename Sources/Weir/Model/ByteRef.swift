/// Where some bytes of a batch stand: in the body as received, or in the side buffer of rewritten values.
///
/// Offsets have 31 bits; the top bit chooses the side buffer.
struct ByteRef: BitwiseCopyable, Equatable {
    static let side: UInt32 = 0x8000_0000
    static let empty = ByteRef(offset: 0, count: 0)

    var offset: UInt32
    var count: UInt32

    init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }

    /// `origin` is 0 for the body and ``side`` for the side buffer.
    @inline(__always)
    init(_ offset: Int, _ count: Int, origin: UInt32 = 0) {
        self.offset = UInt32(truncatingIfNeeded: offset) | origin
        self.count = UInt32(truncatingIfNeeded: count)
    }

    /// As an attribute record holds it.
    @inline(__always)
    init(packed: UInt64) {
        offset = UInt32(truncatingIfNeeded: packed)
        count = UInt32(truncatingIfNeeded: packed >> 32)
    }

    @inline(__always)
    var packed: UInt64 { UInt64(offset) | UInt64(count) << 32 }

    @inline(__always)
    var isInSide: Bool { offset & ByteRef.side != 0 }

    /// The offset without the bit that chooses the buffer.
    @inline(__always)
    var position: Int { Int(offset & ~ByteRef.side) }
}

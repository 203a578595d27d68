/// Puts numbers of a few bits side by side, each beginning at the lowest bit that is free.
struct BitPacker {
    private var pending: UInt64 = 0
    /// Bits of it, fewer than 64.
    private var count: UInt64 = 0

    /// - Parameters:
    ///   - value: without bits above `width`.
    ///   - width: 0 to 64.
    @inline(__always)
    mutating func append(_ value: UInt64, width: Int, to output: inout RecordBuffer<UInt8>) {
        pending |= value &<< count
        let all = count &+ UInt64(width)
        guard all >= 64 else {
            count = all
            return
        }
        output.word(pending)
        // A shift by all 64 bits leaves nothing.
        pending = value >> (64 &- count)
        count = all &- 64
    }

    /// Fills the last byte with zeros.
    mutating func finish(to output: inout RecordBuffer<UInt8>) {
        while count > 0 {
            output.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= min(8, count)
        }
        pending = 0
    }
}

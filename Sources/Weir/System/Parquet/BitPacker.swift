/// Puts numbers of a few bits side by side, each beginning at the lowest bit that is free.
struct BitPacker {
    private var pending: UInt64 = 0
    private var count = 0

    /// - Parameters:
    ///   - value: without bits above `width`.
    ///   - width: 0 to 64.
    @inline(__always)
    mutating func append(_ value: UInt64, width: Int, to output: inout RecordBuffer<UInt8>) {
        if width > 32 {
            put(value & 0xFFFF_FFFF, 32, &output)
            put(value >> 32, width - 32, &output)
        } else {
            put(value, width, &output)
        }
    }

    /// Fills the last byte with zeros.
    mutating func finish(to output: inout RecordBuffer<UInt8>) {
        if count > 0 { output.append(UInt8(truncatingIfNeeded: pending)) }
        pending = 0
        count = 0
    }

    @inline(__always)
    private mutating func put(_ value: UInt64, _ width: Int, _ output: inout RecordBuffer<UInt8>) {
        pending |= value << UInt64(count)
        count += width
        while count >= 8 {
            output.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }
}

/// Parquet's encoding DELTA_BINARY_PACKED (Encodings.md): how far each number is from the one before.
enum Deltas {
    private static let block = 128
    private static let miniblocks = 4

    /// - Parameter bits: 32 or 64: what the numbers, and the differences between them, wrap around at.
    static func append(_ values: UnsafeBufferPointer<Int64>, bits: Int, to output: inout RecordBuffer<UInt8>) {
        output.varint(UInt64(block))
        output.varint(UInt64(miniblocks))
        output.varint(UInt64(values.count))
        output.zigzag(values.first ?? 0)
        var start = 1
        while start < values.count {
            let end = min(start + block, values.count)
            append(values, start..<end, bits, &output)
            start = end
        }
    }

    private static func append(
        _ values: UnsafeBufferPointer<Int64>, _ range: Range<Int>, _ bits: Int, _ output: inout RecordBuffer<UInt8>
    ) {
        // What wraps around at 32 bits is moved up to where 64 do.
        let shift = Int64(64 - bits)
        var deltas = InlineArray<128, Int64>(repeating: .max)
        var least = Int64.max
        for place in range {
            let delta = ((values[place] &- values[place - 1]) &<< shift) &>> shift
            deltas[place &- range.lowerBound] = delta
            least = min(least, delta)
        }
        // "If there are not enough values to fill the last miniblock, we pad it".
        for place in range.count..<block { deltas[place] = least }
        output.zigzag(least)
        let size = block / miniblocks
        let mask = UInt64.max &>> UInt64(shift)
        var widths = InlineArray<4, Int>(repeating: 0)
        for index in 0..<miniblocks {
            var all: UInt64 = 0
            for place in index * size..<(index + 1) * size { all |= UInt64(bitPattern: deltas[place] &- least) & mask }
            widths[index] = 64 - all.leadingZeroBitCount
            output.append(UInt8(widths[index]))
        }
        for index in 0..<miniblocks where index * size < range.count && widths[index] > 0 {
            var packer = BitPacker()
            for place in index * size..<(index + 1) * size {
                packer.append(UInt64(bitPattern: deltas[place] &- least) & mask, width: widths[index], to: &output)
            }
            packer.finish(to: &output)
        }
    }
}

/// Parquet's encoding RLE (Encodings.md): small numbers, as runs of one number or packed bit by bit, eight at a time.
enum RunLengths {
    /// - Parameter width: bits of a value, 1 to 32.
    static func append<Value: FixedWidthInteger & UnsignedInteger>(
        _ values: UnsafeBufferPointer<Value>, width: Int, to output: inout RecordBuffer<UInt8>
    ) {
        var packed = 0
        var place = 0
        while place < values.count {
            var end = place + 1
            while end < values.count, values[end] == values[place] { end += 1 }
            // What stands in front of a run is packed in eights, and takes what it lacks from the run.
            let lacking = (8 - (place - packed) % 8) % 8
            if end - place - lacking >= 8 {
                pack(UnsafeBufferPointer(rebasing: values[packed..<place + lacking]), width, &output)
                output.varint(UInt64(end - place - lacking) << 1)
                withUnsafeBytes(of: UInt32(values[place]).littleEndian) {
                    output.append(UnsafeRawBufferPointer(rebasing: $0.prefix((width + 7) / 8)))
                }
                packed = end
            }
            place = end
        }
        pack(UnsafeBufferPointer(rebasing: values[packed...]), width, &output)
    }

    /// "The number of values […] is always a multiple of 8": at the end zeros stand for what is not there.
    private static func pack<Value: FixedWidthInteger & UnsignedInteger>(
        _ values: UnsafeBufferPointer<Value>, _ width: Int, _ output: inout RecordBuffer<UInt8>
    ) {
        guard !values.isEmpty else { return }
        let eights = (values.count + 7) / 8
        output.varint(UInt64(eights) << 1 | 1)
        var packer = BitPacker()
        for value in values { packer.append(UInt64(value), width: width, to: &output) }
        for _ in values.count..<eights * 8 { packer.append(0, width: width, to: &output) }
        packer.finish(to: &output)
    }
}

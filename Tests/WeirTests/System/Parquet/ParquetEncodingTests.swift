import Testing

@testable import Weir

/// The encodings, read back by the plainest readers of them.
struct ParquetEncodingTests {
    @Test(arguments: 0..<20)
    func runLengthsSayWhatWentIn(_: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let width = 1 + random.below(32)
        let largest = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
        var values: [UInt32] = []
        while values.count < 2_000 {
            let value = UInt32(truncatingIfNeeded: random.next()) & largest
            values += [UInt32](repeating: value, count: random.pick([1, 1, 2, 7, 8, 9, 20, 300]))
        }
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        RunLengths.append(values[...], width: width, to: &output)
        #expect(Self.runLengths(Array(output.bytes), width, values.count) == values, "seed \(seed)")
    }

    @Test func runLengthsOfNothingAreNothing() {
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        RunLengths.append([], width: 1, to: &output)
        #expect(output.count == 0)
    }

    @Test(arguments: [0, 1, 2, 32, 33, 128, 129, 130, 1_000], [32, 64])
    func deltasSayWhatWentIn(count: Int, bits: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let spread = random.pick([0, 1, 8, 31, 40, 63])
        let values = (0..<count).map { _ in
            let wide = Int64(bitPattern: random.next()) >> Int64(63 - spread)
            return bits == 32 ? Int64(Int32(truncatingIfNeeded: wide)) : wide
        }
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        Deltas.append(values[...], bits: bits, to: &output)
        #expect(Self.deltas(Array(output.bytes), bits) == values, "seed \(seed)")
    }

    @Test(arguments: [32, 64])
    func deltasWrapAround(bits: Int) {
        let ends: [Int64] = bits == 32 ? [Int64(Int32.min), Int64(Int32.max)] : [.min, .max]
        let values = [ends[0], ends[1], 0, ends[1], ends[0], -1]
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        Deltas.append(values[...], bits: bits, to: &output)
        #expect(Self.deltas(Array(output.bytes), bits) == values)
    }

    /// The vectors of the reference implementation.
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func hashesAreThoseOfXXHash(text: String, hash: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { XXHash64.hash($0) } == hash)
    }

    @Test(arguments: [1, 10, 1_000, 50_000])
    func aFilterMissesNothingAndTakesFewForWhatTheyAreNot(count: Int) {
        func hash(_ number: Int) -> UInt64 { withUnsafeBytes(of: number) { XXHash64.hash($0) } }
        var filter = BloomFilter(for: count)
        for number in 0..<count { filter.insert(hash(number)) }
        #expect((0..<count).allSatisfy { filter.contains(hash($0)) })
        let wrong = (count..<count + 20_000).filter { filter.contains(hash($0)) }.count
        #expect(wrong < 100)
        // Some bytes of header, and a power of two.
        let size = filter.bytes.count
        #expect((5...20).contains { (8...24).contains(size - 1 << $0) })
    }

    @Test func aDictionaryKnowsEachTextOnce() throws {
        let texts = (0..<5_000).map { Array("text \($0 % 300)".utf8) }
        let buffer = texts.flatMap { $0 }
        buffer.withUnsafeBytes { bytes in
            var start = 0
            let slices = texts.map { text in
                defer { start += text.count }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<start + text.count])
            }
            let dictionary = ByteDictionary(slices)
            #expect(dictionary?.entries.count == 300)
            #expect(dictionary?.indices.map(Int.init) == (0..<5_000).map { $0 % 300 })
        }
    }

    @Test func textsMayRepeatAfterLong() {
        let texts = (0..<20_000 as Range<UInt64>).map { $0 % 4_000 }
        texts.withUnsafeBytes { bytes in
            let slices = texts.indices.map { UnsafeRawBufferPointer(rebasing: bytes[$0 * 8..<$0 * 8 + 8]) }
            #expect(ByteDictionary(slices)?.entries.count == 4_000)
            #expect(ByteDictionary(Array(slices.prefix(7_000))) == nil)
        }
    }

    @Test func thereIsNoDictionaryWhereTextsDiffer() {
        let texts = Array(UnsafeBufferPointer<UInt64>(start: nil, count: 0)) + (0..<2_000 as Range<UInt64>)
        texts.withUnsafeBytes { bytes in
            let slices = (0..<2_000).map { UnsafeRawBufferPointer(rebasing: bytes[$0 * 8..<$0 * 8 + 8]) }
            #expect(ByteDictionary(slices) == nil)
        }
    }

    @Test func messagesAreInTheCompactProtocol() {
        let message = ThriftWriter { writer in
            writer.int32(1, -1)
            writer.flag(2, true)
            writer.text(20, "ab")
            writer.message(21) { $0.int64(1, 300) }
            writer.int32s(22, [1, 2])
        }
        #expect(
            message.bytes == [
                0x15, 1, 0x11, 8, 40, 2, 0x61, 0x62, 0x1C, 0x16, 0xD8, 0x04, 0, 0x19, 0x25, 2, 4, 0,
            ])
    }
}

// MARK: - Readers

extension ParquetEncodingTests {
    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        return value
    }

    private static func zigzag(_ bytes: inout ArraySlice<UInt8>) -> Int64 {
        let value = varint(&bytes)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// - Returns: so many numbers, bit by bit.
    private static func unpack(_ bytes: inout ArraySlice<UInt8>, _ width: Int, _ count: Int) -> [UInt64] {
        let taken = Array(bytes.prefix((width * count + 7) / 8))
        bytes = bytes.dropFirst(taken.count)
        return (0..<count).map { index in
            (0..<width).reduce(0 as UInt64) { value, bit in
                let place = index * width + bit
                return value | UInt64(taken[place / 8] >> UInt8(place % 8) & 1) << UInt64(bit)
            }
        }
    }

    private static func runLengths(_ bytes: [UInt8], _ width: Int, _ count: Int) -> [UInt32] {
        var rest = bytes[...]
        var values: [UInt32] = []
        while !rest.isEmpty {
            let head = varint(&rest)
            if head & 1 == 1 {
                values += unpack(&rest, width, Int(head >> 1) * 8).map { UInt32($0) }
            } else {
                let value = unpack(&rest, (width + 7) / 8 * 8, 1)[0]
                values += [UInt32](repeating: UInt32(value), count: Int(head >> 1))
            }
        }
        return Array(values.prefix(count))
    }

    private static func deltas(_ bytes: [UInt8], _ bits: Int) -> [Int64] {
        var rest = bytes[...]
        let block = Int(varint(&rest))
        let miniblocks = Int(varint(&rest))
        let count = Int(varint(&rest))
        var values = [zigzag(&rest)]
        while values.count < count {
            let least = zigzag(&rest)
            let widths = rest.prefix(miniblocks).map { Int($0) }
            rest = rest.dropFirst(miniblocks)
            for width in widths where values.count < count {
                for delta in unpack(&rest, width, block / miniblocks) where values.count < count {
                    let next = values[values.count - 1] &+ least &+ Int64(bitPattern: delta)
                    values.append(bits == 32 ? Int64(Int32(truncatingIfNeeded: next)) : next)
                }
            }
        }
        #expect(rest.isEmpty)
        return Array(values.prefix(count))
    }
}

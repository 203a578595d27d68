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
        values.withUnsafeBufferPointer { RunLengths.append($0, width: width, to: &output) }
        #expect(Self.runLengths(Array(output.bytes), width, values.count) == values, "seed \(seed)")
    }

    @Test func runLengthsOfNothingAreNothing() {
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        RunLengths.append(UnsafeBufferPointer<UInt8>(start: nil, count: 0), width: 1, to: &output)
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
        values.withUnsafeBufferPointer { Deltas.append($0, bits: bits, to: &output) }
        #expect(Self.deltas(Array(output.bytes), bits) == values, "seed \(seed)")
    }

    @Test(arguments: [32, 64])
    func deltasWrapAround(bits: Int) {
        let ends: [Int64] = bits == 32 ? [Int64(Int32.min), Int64(Int32.max)] : [.min, .max]
        let values = [ends[0], ends[1], 0, ends[1], ends[0], -1]
        var output = RecordBuffer<UInt8>(capacity: 16, limit: .max)
        values.withUnsafeBufferPointer { Deltas.append($0, bits: bits, to: &output) }
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

    @Test func aDictionaryKnowsEachTextOnce() {
        let found = Self.found((0..<5_000).map { "text \($0 % 300)" })
        #expect(found.hasDictionary)
        #expect(found.texts == (0..<300).map { "text \($0)" })
        #expect(found.indices == (0..<5_000).map { $0 % 300 })
        #expect(found.bounds == ["text 0", "text 99"])
    }

    @Test func textsMayRepeatAfterLong() {
        #expect(Self.found((0..<20_000).map { "\($0 % 4_000)" }).texts.count == 4_000)
        #expect(Self.found((0..<7_000).map { "\($0 % 4_000)" }).texts.count == 7_000)
    }

    @Test(arguments: [2_000, 9_000])
    func thereIsNoDictionaryWhereTextsDiffer(count: Int) {
        let texts = (0..<count).map { "text \($0)" }
        let found = Self.found(texts)
        #expect(!found.hasDictionary && found.indices == [])
        #expect(found.texts == texts)
        #expect(found.bounds == ["text 0", "text 999"])
        #expect(
            texts.allSatisfy { text in
                found.filter?.contains(Array(text.utf8).withUnsafeBytes { XXHash64.hash($0) }) == true
            })
    }

    @Test func aTextMayComeAgainAndLongOnesAreNoBounds() {
        let long = String(repeating: "a", count: 65)
        var values = Self.empty
        Self.append([long, nil], to: &values)
        Array(long.utf8).withUnsafeBytes { values.append(again: $0) }
        values.append(again: nil)
        let found = Found(values)
        #expect(found.texts == [long] && found.indices == [0, 0] && found.levels == [1, 0, 1, 0])
        #expect(found.bounds == nil)
    }

    @Test func valuesAreForgottenButNotTheirColumn() {
        var values = Self.empty
        Self.append((0..<9_000).map { "text \($0)" } + [nil], to: &values)
        values.finish()
        let before = Found(values)
        #expect(!before.hasDictionary && before.levels.count == 9_001 && before.levels.last == 0)
        values.reset(keeping: .max)
        let after = Found(values)
        #expect(after.hasDictionary && after.texts == [] && after.levels == [] && after.bounds == nil)
        Self.append([""], to: &values)
        values.finish()
        #expect(Found(values).texts == [""])
    }

    @Test func textsThatTakeTurnsAreKnownByWhatIsBetweenTheirEnds() {
        // The same length, beginning and end, so that they have one place among those that were looked for lately.
        let texts = (0..<40).map { "beginning \($0 + 10) and its end" } + ["", "a", "ab", "aa"]
        let found = Self.found((0..<2_000).map { texts[$0 % texts.count] })
        #expect(found.texts == texts)
        #expect(found.indices == (0..<2_000).map { $0 % texts.count })
    }

    @Test func oneWhoseTextsWereNotWorthItIsLessPatientUntilTheNextFile() {
        func last(_ values: inout ParquetValues) -> Bool {
            Self.append((0..<2_000).map { "text \($0)" }, to: &values)
            defer { values.reset(keeping: .max) }
            return values.hasDictionary
        }
        var values = Self.empty
        let first = last(&values)
        Self.append((0..<9_000).map { "text \($0)" }, to: &values)
        values.reset(keeping: .max)
        let second = last(&values)
        values.forget()
        let third = last(&values)
        #expect((first, second, third) == (true, false, true))
    }

    /// Each may be a mebibyte, and come once for a hundred thousand rows.
    @Test func whatStandsInManyRowsIsNeverWrittenForEach() {
        let column = ParquetColumn(name: "x", kind: .text, repeats: true, isShared: true)
        var values = ParquetValues(of: column)
        let texts = (0..<12).map { String(repeating: "\($0)", count: 1 << 19) }
        for row in 0..<240 { Self.append([texts[row % 12]], to: &values) }
        values.finish()
        let found = Found(values)
        #expect(found.hasDictionary && found.texts.count == 12 && found.indices.count == 240)
    }

    private struct Found {
        let hasDictionary: Bool
        let texts: [String]
        let indices: [Int]
        let levels: [UInt8]
        let bounds: [String]?
        let filter: BloomFilter?

        init(_ values: borrowing ParquetValues) {
            var texts: [String] = []
            values.forEachText { texts.append(String(decoding: $0, as: UTF8.self)) }
            self.texts = texts
            hasDictionary = values.hasDictionary
            indices = values.indices.elements.map { Int($0) }
            levels = Array(values.levels.elements)
            let bounds = values.bounds(limit: 64)
            self.bounds = bounds.map { [$0.least, $0.greatest].map { String(decoding: $0, as: UTF8.self) } }
            filter = values.filter
        }
    }

    private static var empty: ParquetValues {
        ParquetValues(of: ParquetColumn(name: "x", kind: .text, isOptional: true, repeats: true, isLookedFor: true))
    }

    private static func found(_ texts: [String]) -> Found {
        var values = empty
        append(texts, to: &values)
        values.finish()
        return Found(values)
    }

    private static func append(_ texts: [String?], to values: inout ParquetValues) {
        for text in texts {
            guard let text else {
                values.append(nil as UnsafeRawBufferPointer?)
                continue
            }
            Array(text.utf8).withUnsafeBytes { values.append(Optional($0)) }
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

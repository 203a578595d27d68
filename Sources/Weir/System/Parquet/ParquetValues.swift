import Glibc

/// The values of a column that wait for their row group.
struct ParquetValues: ~Copyable {
    /// Bytes that a dictionary keeps of its memory when it is given up.
    private static let retained = 64 << 10
    /// Bytes in front of texts that are more than that, for what their page begins with: it is compressed in one piece.
    private static let headroom = 256 << 10

    let column: ParquetColumn
    /// For each row 1 where there is a value; of a column that must have one, nothing.
    private(set) var levels = RecordBuffer<UInt8>(capacity: 16, limit: .max)
    /// Numbers, times and amounts; of texts that stand in no dictionary, their lengths.
    private(set) var numbers = RecordBuffer<Int64>(capacity: 16, limit: .max)
    /// Those texts, one behind the other, behind the room.
    private var texts = RecordBuffer<UInt8>(capacity: 64, limit: .max)
    /// Bytes in front of them: 0 where they are so few that they are copied behind the head of their page.
    private(set) var room = 0
    /// The other texts, each once, and for each text which of them it is.
    private(set) var dictionary = ByteDictionary()
    private(set) var indices = RecordBuffer<UInt32>(capacity: 16, limit: .max)
    /// Whether texts go there. It is given up as soon as it is not worth it.
    private(set) var hasDictionary: Bool
    /// Texts that may all be different.
    private var patience = ByteDictionary.patience
    private let isOptional: Bool

    init(of column: ParquetColumn) {
        self.column = column
        isOptional = column.isOptional
        hasDictionary = column.repeats
    }

    @inline(__always)
    private mutating func add(_ text: UnsafeRawBufferPointer) {
        numbers.append(Int64(text.count))
        if room == 0, texts.count + text.count > Self.headroom { makeRoom() }
        texts.append(text)
    }

    @inline(never)
    private mutating func makeRoom() {
        let count = texts.count
        texts.reserve(2 * Self.headroom)
        memmove(texts.base + Self.headroom, texts.base, count)
        room = Self.headroom
        texts.count = room + count
    }

    /// Texts that stand in no dictionary, by where they are among those. In front of the first there is the room.
    func texts(_ places: Range<Int>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: texts.base + room + places.lowerBound, count: places.count)
    }

    /// How many there are; rows without one are not counted.
    var count: Int { hasDictionary ? indices.count : numbers.count }

    @inline(__always)
    mutating func append(_ text: UnsafeRawBufferPointer?) {
        guard let text else { return appendNone() }
        if isOptional { levels.append(1) }
        guard hasDictionary else { return add(text) }
        let known = dictionary.count
        indices.append(dictionary.number(of: text))
        if dictionary.count > known, !isWorthIt(patience: patience) { giveUpDictionary() }
    }

    /// Adds the text that was added last, and still stands somewhere.
    @inline(__always)
    mutating func append(again text: UnsafeRawBufferPointer?) {
        guard hasDictionary, text != nil else { return append(text) }
        if isOptional { levels.append(1) }
        indices.append(indices[indices.count - 1])
    }

    @inline(__always)
    mutating func append(_ number: Int64?) {
        guard let number else { return appendNone() }
        if isOptional { levels.append(1) }
        numbers.append(number)
    }

    @inline(__always)
    private mutating func appendNone() {
        precondition(isOptional, "no value where one is needed")
        levels.append(0)
    }

    /// Adds rows without a value.
    mutating func appendNone(_ rows: Int) {
        precondition(isOptional, "no value where one is needed")
        levels.reserve(levels.count + rows)
        (levels.base + levels.count).update(repeating: 0, count: rows)
        levels.count += rows
    }

    /// No more values come before the row group.
    mutating func finish() {
        if hasDictionary, !isWorthIt(patience: 0) { giveUpDictionary() }
    }

    private func isWorthIt(patience: Int) -> Bool {
        column.isShared || dictionary.isWorthIt(for: indices.count, patience: patience)
    }

    @inline(never)
    private mutating func giveUpDictionary() {
        hasDictionary = false
        patience = ByteDictionary.impatience
        for place in indices.indices { add(dictionary[Int(indices[place])]) }
        dictionary.reset(keeping: Self.retained)
        indices.reset(keeping: Self.retained)
    }

    /// Forgets the values.
    /// - Parameter bytes: of memory, at most, that each kind of them keeps.
    mutating func reset(keeping bytes: Int) {
        levels.reset(keeping: bytes)
        numbers.reset(keeping: bytes)
        texts.reset(keeping: bytes)
        indices.reset(keeping: bytes)
        dictionary.reset(keeping: bytes)
        hasDictionary = column.repeats
        room = 0
    }

    /// What comes next has nothing to do with what came before.
    mutating func forget() {
        patience = ByteDictionary.patience
    }

    // MARK: What a row group says of them

    /// Calls `body` with each text, of a dictionary with each once.
    func forEachText(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard !hasDictionary else {
            for number in 0..<dictionary.count { body(dictionary[number]) }
            return
        }
        var start = UnsafeRawPointer(texts.base) + room
        for place in numbers.indices {
            body(UnsafeRawBufferPointer(start: start, count: Int(numbers[place])))
            start += Int(numbers[place])
        }
    }

    /// Nil where there is no value, or one of both is too long to stand in every footer.
    /// - Parameter limit: bytes of a text.
    func bounds(limit: Int) -> (least: [UInt8], greatest: [UInt8])? {
        guard count > 0, column.hasBounds else { return nil }
        guard column.kind == .text else {
            var (least, greatest) = (numbers[0], numbers[0])
            for place in numbers.indices {
                least = min(least, numbers[place])
                greatest = max(greatest, numbers[place])
            }
            return (column.plain(least), column.plain(greatest))
        }
        var found: (least: UnsafeRawBufferPointer, greatest: UnsafeRawBufferPointer)?
        forEachText { text in
            guard let known = found else {
                found = (text, text)
                return
            }
            if Self.isLess(text, known.least) { found?.least = text }
            if Self.isLess(known.greatest, text) { found?.greatest = text }
        }
        return found.flatMap { found in
            max(found.least.count, found.greatest.count) > limit ? nil : (Array(found.least), Array(found.greatest))
        }
    }

    private static func isLess(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let own = left.baseAddress, let other = right.baseAddress else { return left.count < right.count }
        let order = memcmp(own, other, min(left.count, right.count))
        return order == 0 ? left.count < right.count : order < 0
    }

    /// Nil where nobody looks for single values.
    var filter: BloomFilter? {
        guard column.isLookedFor, count > 0 else { return nil }
        guard !hasDictionary else {
            var filter = BloomFilter(for: dictionary.count)
            for place in dictionary.hashes.indices { filter.insert(dictionary.hashes[place]) }
            return filter
        }
        var filter = BloomFilter(for: count)
        forEachText { filter.insert(XXHash64.hash($0)) }
        return filter
    }
}

extension ParquetColumn {
    /// PLAIN: little-endian.
    fileprivate func plain(_ number: Int64) -> [UInt8] {
        switch kind {
        case .flag: [UInt8(truncatingIfNeeded: number & 1)]
        case .int32: withUnsafeBytes(of: Int32(truncatingIfNeeded: number).littleEndian) { Array($0) }
        default: withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
    }
}

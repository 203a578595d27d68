/// Writes JSON text into memory of its own.
struct JSONWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0
    private let replacesNUL: Bool

    /// - Parameter replacesNUL: whether U+0000 becomes U+FFFD. Neither Postgres nor LangSmith has texts
    ///   with a U+0000, escaped or not.
    init(capacity: Int, replacesNUL: Bool = false) {
        self.replacesNUL = replacesNUL
        self.capacity = max(64, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit {
        base.deallocate()
    }

    /// Valid until the next write.
    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Forgets what was written, and gives back memory that one large batch had made it take.
    mutating func reset(keeping bytes: Int = .max) {
        count = 0
        guard capacity > bytes else { return }
        base.deallocate()
        capacity = bytes
        base = .allocate(capacity: bytes)
    }

    @inline(__always)
    private mutating func reserve(_ wanted: Int) {
        if capacity - count < wanted { grow(wanted) }
    }

    @inline(never)
    private mutating func grow(_ wanted: Int) {
        let larger = max(capacity * 2, count + wanted)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Text that is JSON already.
    @inline(__always)
    mutating func raw(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    /// Bytes as they are.
    @inline(__always)
    mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        reserve(bytes.count)
        (base + count).update(from: start, count: bytes.count)
        count += bytes.count
    }

    /// Takes back a comma that turned out to be one too many.
    @inline(__always)
    mutating func dropComma() {
        if count > 0, base[count - 1] == UInt8(ascii: ",") { count -= 1 }
    }

    // MARK: Values

    /// A string in quotes. `text` is UTF-8; what JSON does not allow in a string is escaped.
    mutating func string(_ text: UnsafeRawBufferPointer) {
        // At worst every byte becomes six.
        reserve(text.count * 6 + 2 + 16)
        base[count] = UInt8(ascii: "\"")
        count += 1
        // Long ones often have a line break somewhere.
        if text.count > 64 || !copyPlain(text) { escape(text) }
        base[count] = UInt8(ascii: "\"")
        count += 1
    }

    /// Copies a text of which nothing needs escaping, as of most; the last word may overlap the one before.
    /// - Returns: false where something does, and nothing has happened.
    @inline(__always)
    private mutating func copyPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        let target = UnsafeMutableRawPointer(base + count)
        if text.count >= 8 {
            let last = text.count &- 8
            var index = 0
            while index < last {
                let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard !JSONWriter.needsEscape(word) else { return false }
                target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
                index &+= 8
            }
            let word = text.loadUnaligned(fromByteOffset: last, as: UInt64.self)
            guard !JSONWriter.needsEscape(word) else { return false }
            target.storeBytes(of: word, toByteOffset: last, as: UInt64.self)
        } else if text.count >= 4 {
            let last = text.count &- 4
            let first = text.loadUnaligned(as: UInt32.self)
            let second = text.loadUnaligned(fromByteOffset: last, as: UInt32.self)
            guard !JSONWriter.needsEscape(UInt64(first) | UInt64(second) &<< 32) else { return false }
            target.storeBytes(of: first, as: UInt32.self)
            target.storeBytes(of: second, toByteOffset: last, as: UInt32.self)
        } else {
            for index in 0..<text.count {
                let byte = text[index]
                guard byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
                target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
        }
        count &+= text.count
        return true
    }

    /// There has to be room.
    @inline(never)
    private mutating func escape(_ text: UnsafeRawBufferPointer) {
        var index = 0
        while index < text.count {
            let target = UnsafeMutableRawPointer(base + count)
            // Thirty-two bytes at once, then eight. What is copied behind the first that needs escaping is overwritten.
            let (plain, width): (Int, Int)
            if index &+ 32 <= text.count {
                let words = text.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
                target.storeBytes(of: words, as: SIMD4<UInt64>.self)
                (plain, width) = (JSONWriter.plain(words), 32)
            } else if index &+ 8 <= text.count {
                let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                target.storeBytes(of: word, as: UInt64.self)
                (plain, width) = (JSONWriter.plain(word), 8)
            } else {
                (plain, width) = (0, 1)
            }
            index &+= plain
            count &+= plain
            guard plain < width else { continue }
            escape(text[index])
            index &+= 1
        }
    }

    /// Whether one of eight bytes is a quote, a backslash or a control character. Never wrong when it says no.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> Bool { escapes(word) != 0 }

    /// The highest bit of each such byte. The lowest of them is right; behind it may be more than there are.
    @inline(__always)
    private static func escapes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        return (quotes | backslashes | controls) & ~word & high
    }

    /// How many bytes there are before the first that needs escaping.
    @inline(__always)
    private static func plain(_ word: UInt64) -> Int {
        // Without any, the count is 64.
        escapes(word).trailingZeroBitCount &>> 3
    }

    /// The same of 32 bytes.
    @inline(__always)
    private static func plain(_ words: SIMD4<UInt64>) -> Int {
        guard needsEscape(words) else { return 32 }
        var (index, plain) = (0, 0)
        repeat {
            plain = Self.plain(words[index])
            index += 1
        } while plain == 8 && index < 4
        return (index - 1) * 8 + plain
    }

    /// Whether one of 32 bytes does.
    @inline(__always)
    static func needsEscape(_ words: SIMD4<UInt64>) -> Bool {
        let ones = SIMD4<UInt64>(repeating: 0x0101_0101_0101_0101)
        let quotes = (words ^ (ones &* 0x22)) &- ones
        let backslashes = (words ^ (ones &* 0x5C)) &- ones
        let controls = words &- (ones &* 0x20)
        let found = (quotes | backslashes | controls) & ~words
        return (found.x | found.y | found.z | found.w) & 0x8080_8080_8080_8080 != 0
    }

    @inline(__always)
    private mutating func escape(_ byte: UInt8) {
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            base[count] = byte
            count &+= 1
            return
        }
        if byte == 0, replacesNUL { return raw("\u{FFFD}") }
        base[count] = UInt8(ascii: "\\")
        count &+= 1
        switch byte {
        case 0x0A: base[count] = UInt8(ascii: "n")
        case 0x0D: base[count] = UInt8(ascii: "r")
        case 0x09: base[count] = UInt8(ascii: "t")
        case 0..<0x20:
            raw("u00")
            base[count] = hexDigit(byte >> 4)
            base[count + 1] = hexDigit(byte & 15)
            count &+= 1
        default: base[count] = byte
        }
        count &+= 1
    }

    @inline(__always)
    mutating func number(_ value: UInt64) {
        reserve(20)
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, value >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = value
        for index in stride(from: digits - 1, through: 0, by: -1) {
            base[count + index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// proto3 JSON writes numbers of 64 bits as strings.
    mutating func quoted(_ value: UInt64) {
        byte(UInt8(ascii: "\""))
        number(value)
        byte(UInt8(ascii: "\""))
    }

    mutating func quoted(_ value: Int64) {
        byte(UInt8(ascii: "\""))
        int(value)
        byte(UInt8(ascii: "\""))
    }

    /// The shortest text that reads back as the same number.
    mutating func double(_ value: Double) {
        if value.isNaN { return raw("\"NaN\"") }
        if value.isInfinite { return value < 0 ? raw("\"-Infinity\"") : raw("\"Infinity\"") }
        var text = value.description
        text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    mutating func int(_ value: Int64) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        number(value.magnitude)
    }

    /// Sixteen hexadecimal digits, in quotes or as half of an id.
    mutating func hexadecimal(_ value: UInt64) {
        reserve(16)
        store(Self.hexDigits(UInt32(value >> 32)), at: 0)
        store(Self.hexDigits(UInt32(truncatingIfNeeded: value)), at: 8)
        count += 16
    }

    /// A UUID of two halves, without quotes: 36 characters, lower case.
    mutating func uuid(_ high: UInt64, _ low: UInt64) {
        reserve(36)
        let dash = UInt8(ascii: "-")
        let second = Self.hexDigits(UInt32(truncatingIfNeeded: high))
        let third = Self.hexDigits(UInt32(low >> 32))
        store(Self.hexDigits(UInt32(high >> 32)), at: 0)
        store(dash, at: 8)
        store(UInt32(truncatingIfNeeded: second), at: 9)
        store(dash, at: 13)
        store(UInt32(second >> 32), at: 14)
        store(dash, at: 18)
        store(UInt32(truncatingIfNeeded: third), at: 19)
        store(dash, at: 23)
        store(UInt32(third >> 32), at: 24)
        store(Self.hexDigits(UInt32(truncatingIfNeeded: low)), at: 28)
        count += 36
    }

    /// The lowest digits of a number that is not negative, with zeros in front.
    @inline(__always)
    mutating func decimal(_ value: Int, digits: Int) {
        reserve(digits)
        var rest = UInt(value)
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            base[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// There has to be room.
    @inline(__always)
    private func store<Word: FixedWidthInteger & BitwiseCopyable>(_ word: Word, at offset: Int) {
        UnsafeMutableRawPointer(base + count + offset).storeBytes(of: word.littleEndian, as: Word.self)
    }

    /// Eight hexadecimal digits, the first of them in the lowest byte.
    @inline(__always)
    private static func hexDigits(_ value: UInt32) -> UInt64 {
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // A byte is 1 where its nibble is more than nine.
        let letters = ((nibbles &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        let toLetters = UInt64(UInt8(ascii: "a") - 10 - UInt8(ascii: "0"))
        return (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* toLetters).byteSwapped
    }

    @inline(__always)
    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    /// proto3 JSON: base64 with padding.
    mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count / 3 * 4 + 6)
        byte(UInt8(ascii: "\""))
        var index = 0
        while index < bytes.count {
            let available = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < available ? UInt32(bytes[index + offset]) : 0) }
            for digit in 0..<4 {
                let sextet = UInt8(truncatingIfNeeded: group >> (18 - 6 * UInt32(digit))) & 63
                byte(digit <= available ? JSONWriter.base64Digit(sextet) : UInt8(ascii: "="))
            }
            index += 3
        }
        byte(UInt8(ascii: "\""))
    }

    private static func base64Digit(_ sextet: UInt8) -> UInt8 {
        switch sextet {
        case 0..<26: UInt8(ascii: "A") + sextet
        case 26..<52: UInt8(ascii: "a") + sextet - 26
        case 52..<62: UInt8(ascii: "0") + sextet - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

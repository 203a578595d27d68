/// A text as the scanner looks at it: two words, so that passing it on copies nothing.
struct TextBytes: BitwiseCopyable {
    private let start: UnsafePointer<UInt8>
    let count: Int

    init(base: UnsafePointer<UInt8>, count: Int) {
        (start, self.count) = (base, count)
    }

    /// Whoever looks at a byte asks for this.
    @inline(__always)
    var base: UnsafePointer<UInt8> {
        #if DEBUG
            StepCounter.step()
        #endif
        return start
    }

    /// The byte at a place, 0 outside of the text.
    @inline(__always)
    func byte(_ at: Int) -> UInt8 {
        at >= 0 && at < count ? base[at] : 0
    }

    @inline(__always)
    func isWord(at: Int) -> Bool { isWordByte(byte(at)) }

    /// Whether a letter, a digit or `_` stands before, one that is not the letter of an escape such as `\n`.
    @inline(__always)
    func isWord(before at: Int) -> Bool {
        let previous = byte(at - 1)
        return isWordByte(previous) && !(isEscapeLetter(previous) && byte(at - 2) == UInt8(ascii: "\\"))
    }

    func has(_ text: StaticString, _ at: Int) -> Bool {
        guard at >= 0, at + text.utf8CodeUnitCount <= count else { return false }
        for index in 0..<text.utf8CodeUnitCount where base[at + index] != text.utf8Start[index] { return false }
        return true
    }

    /// Whether this word stands there, in small letters or capitals.
    func hasWord(_ word: StaticString, _ at: Int) -> Bool {
        guard at >= 0, at + word.utf8CodeUnitCount <= count else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            let byte = base[at + index]
            guard (isLetter(byte) ? byte | 0x20 : byte) == word.utf8Start[index] else { return false }
        }
        return true
    }

    func hasDigits(_ at: Int, _ count: Int) -> Bool {
        for place in at..<(at + count) where !isDigit(byte(place)) { return false }
        return true
    }

    @inline(__always)
    func isCapital(_ at: Int) -> Bool { byte(at) &- UInt8(ascii: "A") < 26 }

    /// The byte at a place, or the mark that more bytes there stand for, and where it ends; 0 for what is no mark.
    @inline(__always)
    func mark(_ at: Int) -> (UInt8, Int) {
        let byte = byte(at)
        return byte == UInt8(ascii: "%") || byte >= 0x80 ? longMark(at) : (byte, at + 1)
    }

    /// The same of what stands in front of a place, and where it begins. Of marks that take more bytes, those that are
    /// percent-encoded.
    @inline(__always)
    func mark(before at: Int) -> (UInt8, Int) {
        let escaped = byte(at - 3) == UInt8(ascii: "%") ? escapedMark(at - 3) : 0
        return escaped != 0 ? (escaped, at - 3) : (byte(at - 1), at - 1)
    }

    /// The mark or space of ASCII that is percent-encoded at a place; 0 for none.
    func escapedMark(_ at: Int) -> UInt8 {
        guard byte(at) == UInt8(ascii: "%"), let high = hexDigit(byte(at + 1)), let low = hexDigit(byte(at + 2)),
            high < 8, !isWordByte(high << 4 | low)
        else { return 0 }
        return high << 4 | low
    }

    @inline(never)
    private func longMark(_ at: Int) -> (UInt8, Int) {
        let escaped = escapedMark(at)
        return escaped != 0 ? (escaped, at + 3) : wideSeparator(at)
    }

    /// A space or hyphen of more than one byte, as the plain one, and where it ends; 0 for neither.
    private func wideSeparator(_ at: Int) -> (UInt8, Int) {
        if byte(at) == 0xC2 { return byte(at + 1) == 0xA0 ? (UInt8(ascii: " "), at + 2) : (0, at) }
        if byte(at) == 0xE3 {
            return byte(at + 1) == 0x80 && byte(at + 2) == 0x80 ? (UInt8(ascii: " "), at + 3) : (0, at)
        }
        guard byte(at) == 0xE2, byte(at + 1) == 0x80 else { return (0, at) }
        switch byte(at + 2) {
        // U+2007, U+2009 and U+202F: spaces of a figure's width, thin, and narrow without a break.
        case 0x87, 0x89, 0xAF: return (UInt8(ascii: " "), at + 3)
        // U+2010 to U+2013: hyphens and the shorter dash.
        case 0x90...0x93: return (UInt8(ascii: "-"), at + 3)
        default: return (0, at)
        }
    }

    /// Where six pairs of hexadecimal digits end.
    func hardwareEnd(_ start: Int, _ separator: UInt8) -> Int? {
        for pair in 0..<6 {
            let at = start + pair * 3
            guard hexDigit(byte(at)) != nil, hexDigit(byte(at + 1)) != nil else { return nil }
            guard pair == 5 || byte(at + 2) == separator else { return nil }
        }
        let end = start + 17
        return isWord(at: end) || byte(end) == separator && hexDigit(byte(end + 1)) != nil ? nil : end
    }

    /// Shannon's entropy, in bits a byte.
    func entropy(_ start: Int, _ end: Int) -> Double {
        guard end > start else { return 0 }
        let end = min(end, start + 1024)
        return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 256) { counts in
            counts.initialize(repeating: 0)
            for place in start..<end { counts[Int(base[place])] += 1 }
            var sum = 0.0
            for value in counts where value > 1 { sum += Double(value) * Self.logarithm(Double(value)) }
            let total = Double(end - start)
            return Self.logarithm(total) - sum / total
        }
    }

    /// To base two, near enough for a threshold, without a library.
    static func logarithm(_ value: Double) -> Double {
        let rest = value.significand - 1
        return Double(value.exponent) + rest * (1.4425 - rest * (0.7181 - rest * (0.4575 - rest * 0.1819)))
    }
}

@inline(__always)
func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26
}

@inline(__always)
func isWordByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
}

@inline(__always)
private func isEscapeLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"): true
    default: false
    }
}

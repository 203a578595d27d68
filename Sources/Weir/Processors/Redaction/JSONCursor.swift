/// A place in a JSON text, and what is to be changed of it.
struct JSONCursor {
    struct Edit {
        let range: Range<Int>
        let bytes: [UInt8]
    }

    /// The text of a part of a message: where its string stands, with its quotes.
    struct PartText {
        let range: Range<Int>
        let nesting: Int
    }

    let text: TextBytes
    var at = 0
    /// Objects and arrays that are open.
    var nesting = 0
    /// In the order of the text.
    private(set) var edits: [Edit] = []
    /// The text ended inside of a value, as it does where an instrumentation cuts long values off.
    var isCut = false
    /// The last text of the list of parts that is read.
    var lastPart: PartText?
    /// Names of the members that are open, with dots between; kept only where rules ask for it.
    var path: [UInt8] = []

    init(_ bytes: UnsafeRawBufferPointer) {
        // Whoever makes a cursor has looked at the first byte.
        text = TextBytes(
            base: bytes.assumingMemoryBound(to: UInt8.self).baseAddress.unsafelyUnwrapped, count: bytes.count)
    }

    /// The next byte that is no white space; 0 at the end.
    @inline(__always)
    mutating func peek() -> UInt8 {
        while at < text.count {
            switch text.base[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            case let byte: return byte
            }
        }
        return 0
    }

    /// Whether the text ends here; what is open is then cut.
    mutating func ends() -> Bool {
        guard at >= text.count else { return false }
        isCut = true
        return true
    }

    mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
        var place = edits.count
        while place > 0, edits[place - 1].range.lowerBound >= range.lowerBound { place -= 1 }
        if place < edits.count, edits[place].range.lowerBound == range.lowerBound { edits.remove(at: place) }
        edits.insert(Edit(range: range, bytes: bytes), at: place)
    }

    /// The text with the changes; nil where there are none.
    func edited() -> [UInt8]? {
        if edits.isEmpty { return nil }
        let source = UnsafeBufferPointer(start: text.base, count: text.count)
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 64)
        var copied = 0
        for edit in edits {
            result += source[copied..<edit.range.lowerBound]
            result += edit.bytes
            copied = edit.range.upperBound
        }
        return result + source[copied...]
    }

    // MARK: Strings

    /// Goes behind the string that begins here with a quote.
    /// - Returns: where its inside stands, whether it has escapes, and whether its end is there; nil where a control
    ///   character stands in it.
    mutating func skipString() -> (inside: Range<Int>, hasEscapes: Bool, isWhole: Bool)? {
        let start = at + 1
        var hasEscapes = false
        at = start
        while true {
            at = plainEnd(at)
            if at >= text.count {
                at = text.count
                isCut = true
                return (start..<max(start, at), hasEscapes, false)
            }
            switch text.base[at] {
            case UInt8(ascii: "\""):
                at += 1
                return (start..<at - 1, hasEscapes, true)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                at += 2
            default: return nil
            }
        }
    }

    /// Where the next quote, backslash or control character stands.
    private func plainEnd(_ start: Int) -> Int {
        var at = start
        while at + 16 <= text.count {
            let block = UnsafeRawPointer(text.base + at).loadUnaligned(as: SIMD16<UInt8>.self)
            let one = SIMD16<UInt8>(repeating: 1)
            let marks =
                ((block ^ SIMD16(repeating: 0x22)) &- one) | ((block ^ SIMD16(repeating: 0x5C)) &- one)
                | (block &- SIMD16(repeating: 0x20))
            let found = unsafeBitCast(marks & ~block, to: SIMD2<UInt64>.self) & SIMD2(repeating: 0x8080_8080_8080_8080)
            if found[0] != 0 { return at + found[0].trailingZeroBitCount >> 3 }
            if found[1] != 0 { return at + 8 + found[1].trailingZeroBitCount >> 3 }
            at += 16
        }
        while at < text.count {
            let byte = text.base[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return at }
            at += 1
        }
        return at
    }

    /// The inside of a string without its escapes. Half a surrogate pair, and half an escape at the end, are left out.
    func unescaped(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count + 16)
        var at = range.lowerBound
        while at < range.upperBound {
            let end = min(plainEnd(at), range.upperBound)
            result += UnsafeBufferPointer(start: text.base + at, count: end - at)
            at = end
            guard at + 1 < range.upperBound else { break }
            let letter = text.base[at + 1]
            at += 2
            switch letter {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "u"):
                guard var scalar = hexadecimal(at, range.upperBound) else { continue }
                at += 4
                if scalar & 0xFC00 == 0xD800, at + 1 < range.upperBound, text.base[at] == UInt8(ascii: "\\"),
                    text.base[at + 1] == UInt8(ascii: "u"), let low = hexadecimal(at + 2, range.upperBound),
                    low & 0xFC00 == 0xDC00
                {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
                    at += 6
                }
                if let unicode = Unicode.Scalar(scalar) { result += Array(UTF8.encode(unicode) ?? .init()) }
            default: result.append(letter)
            }
        }
        return result
    }

    private func hexadecimal(_ at: Int, _ end: Int) -> UInt32? {
        guard at + 4 <= end else { return nil }
        var value: UInt32 = 0
        for place in at..<(at + 4) {
            guard let digit = hexDigit(text.base[place]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// A text as a JSON string, with its quotes, or without the last where the text is cut there.
    static func quoted(_ bytes: [UInt8], isWhole: Bool = true) -> [UInt8] {
        var writer = JSONWriter(capacity: bytes.count + 16)
        bytes.withUnsafeBytes { writer.string($0) }
        let written = writer.written
        return Array(isWhole ? written[...] : written.dropLast())
    }
}

/// A place in a JSON text, and what is to be changed of it.
struct JSONCursor {
    struct Edit {
        let range: Range<Int>
        let bytes: [UInt8]
    }

    /// The text of a part of a message.
    struct PartText {
        /// Where its string stands, with its quotes.
        let range: Range<Int>
        let content: [UInt8]
        let isWhole: Bool
        /// The names that lead to it from the list on: those that lead to the list may be long, and parts many.
        let path: [UInt8]
    }

    let text: TextBytes
    var at = 0
    /// Objects and arrays that are open.
    var nesting = 0
    /// Without overlaps, in any order.
    private var edits: [Edit] = []
    /// The text ended inside of a value, as it does where an instrumentation cuts long values off.
    var isCut = false
    /// The texts of the list of parts that is read.
    var parts: [PartText] = []
    /// Where in a path the names below that list begin.
    var partsBelow = 0
    /// What stands before this was looked through, or is no part of a document.
    var seen = 0

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

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.base + range.lowerBound, count: range.count)
    }

    mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
        edits.append(Edit(range: range, bytes: bytes))
    }

    /// Makes changes in a text where the inside of a string says it: of the rest no escape is written anew.
    mutating func take(_ inner: JSONCursor, inside range: Range<Int>) {
        var (at, done) = (range.lowerBound, 0)
        func place(of offset: Int) -> Int {
            while done < offset, at < range.upperBound {
                let (scalar, next) = unit(at, range.upperBound)
                done += scalar.map { UTF8.width($0) } ?? (text.base[at] == UInt8(ascii: "\\") ? 0 : 1)
                at = next
            }
            return at
        }
        for edit in inner.edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            let start = place(of: edit.range.lowerBound)
            let end = place(of: edit.range.upperBound)
            edits.append(Edit(range: start..<end, bytes: Array(Self.quoted(edit.bytes).dropFirst().dropLast())))
        }
    }

    var isChanged: Bool { !edits.isEmpty }

    /// The text with the changes; nil where there are none.
    func edited() -> [UInt8]? {
        if edits.isEmpty { return nil }
        let source = UnsafeBufferPointer(start: text.base, count: text.count)
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 64)
        var copied = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            result += source[copied..<edit.range.lowerBound]
            result += edit.bytes
            copied = edit.range.upperBound
        }
        return result + source[copied...]
    }

    // MARK: Where JSON begins

    /// Where the first JSON text begins: what the whole text is, or an object or a list of objects that stands in it.
    @inline(__always)
    static func start(in bytes: UnsafeRawBufferPointer) -> Int? {
        // Most texts begin with a letter, a digit or a slash.
        guard let first = bytes.first else { return nil }
        if first <= 0x22 || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == 0xEF {
            if let start = JSONCursor(bytes).first { return start }
        }
        // Beside an object with a member, nothing worth the look has room in less.
        guard bytes.count > 11 else { return nil }
        let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress.unsafelyUnwrapped
        return TextBytes(base: base, count: bytes.count).document(from: 0)
    }

    private var first: Int? {
        var cursor = self
        // A byte order mark.
        if text.has("\u{FEFF}", 0) { cursor.at = 3 }
        switch cursor.peek() {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return cursor.at
        case UInt8(ascii: "\""):
            let start = cursor.at
            let (inside, _, isWhole) = cursor.skipString()
            // Otherwise it is a sentence in which something is quoted.
            return (isWhole ? cursor.peek() == 0 : bytes(inside).allSatisfy { $0 >= 0x20 }) ? start : nil
        default: return nil
        }
    }

    // MARK: Values

    /// Goes behind a word or number.
    mutating func skipBare() -> Range<Int> {
        let start = at
        while isWordByte(text.byte(at)) || "+-.".utf8.contains(text.byte(at)) { at += 1 }
        return start..<at
    }

    /// Goes behind what stands in the place of something, such as `[EMAIL]`, and is not quoted.
    mutating func skipMask() -> Bool {
        var end = at + 1
        while text.isCapital(end) || text.byte(end) == UInt8(ascii: "_") { end += 1 }
        guard end > at + 1, text.byte(end) == UInt8(ascii: "]") else { return false }
        at = end + 1
        return true
    }

    /// Whether what may follow a value follows.
    mutating func isBehindValue() -> Bool {
        switch peek() {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): true
        default: at >= text.count
        }
    }

    /// Goes behind a value without a look into it. One that is cut, or that nothing closes, reaches to the end.
    /// - Returns: false where there is none.
    mutating func skip() -> Bool {
        var open = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard open > 0 else { return false }
                open -= 1
                at += 1
            case UInt8(ascii: "\""): _ = skipString()
            case 0 where at >= text.count: return ends()
            default:
                let word = skipBare()
                if word.isEmpty, open == 0 { return false }
                if word.isEmpty { at += 1 }
            }
        } while open > 0 && !isCut
        return true
    }

    // MARK: Strings

    /// Goes behind the string that begins here with a quote.
    /// - Returns: where its inside stands, whether it has escapes, and whether its end is there.
    mutating func skipString() -> (inside: Range<Int>, hasEscapes: Bool, isWhole: Bool) {
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
            // JSON wants line breaks and tabs escaped, and not all who write it do so.
            default: at += 1
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
            if at < range.upperBound, text.base[at] != UInt8(ascii: "\\") {
                result.append(text.base[at])
                at += 1
                continue
            }
            let (scalar, next) = unit(at, range.upperBound)
            if let scalar, scalar.isASCII {
                result.append(UInt8(scalar.value))
            } else if let scalar {
                result += UTF8.encode(scalar) ?? .init()
            }
            at = next
        }
        return result
    }

    /// What an escape stands for, nil where that is nothing, and where the next character stands. A byte that is no
    /// escape is left alone.
    private func unit(_ at: Int, _ end: Int) -> (scalar: Unicode.Scalar?, next: Int) {
        guard text.base[at] == UInt8(ascii: "\\") else { return (nil, at + 1) }
        guard at + 1 < end else { return (nil, end) }
        let letter = text.base[at + 1]
        switch letter {
        case UInt8(ascii: "n"): return ("\n", at + 2)
        case UInt8(ascii: "t"): return ("\t", at + 2)
        case UInt8(ascii: "r"): return ("\r", at + 2)
        case UInt8(ascii: "b"): return ("\u{8}", at + 2)
        case UInt8(ascii: "f"): return ("\u{C}", at + 2)
        case UInt8(ascii: "u"):
            guard let scalar = hexadecimal(at + 2, end) else { return (nil, at + 2) }
            if scalar & 0xFC00 == 0xD800, at + 7 < end, text.base[at + 6] == UInt8(ascii: "\\"),
                text.base[at + 7] == UInt8(ascii: "u"), let low = hexadecimal(at + 8, end), low & 0xFC00 == 0xDC00
            {
                return (Unicode.Scalar(0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF), at + 12)
            }
            return (Unicode.Scalar(scalar), at + 6)
        // A byte that is part of a longer character follows by itself.
        case 0x80...: return (nil, at + 1)
        default: return (Unicode.Scalar(letter), at + 2)
        }
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

extension TextBytes {
    /// Where the next object that has a member begins, or the next list of objects.
    func document(from start: Int) -> Int? {
        var at = start
        while at < count {
            let block = UnsafeRawPointer(base + at).loadUnaligned(as: SIMD16<UInt8>.self)
            // Of `{` and `[`, but for one bit, nothing is left.
            let rest = (block & SIMD16(repeating: 0xDF)) ^ SIMD16(repeating: UInt8(ascii: "["))
            let found = unsafeBitCast((rest &- SIMD16(repeating: 1)) & ~rest, to: SIMD2<UInt64>.self)
            let marks = SIMD2(found[0] & 0x8080_8080_8080_8080, found[1] & 0x8080_8080_8080_8080)
            if marks[0] | marks[1] != 0, let place = document(at, marks) { return place }
            at += 16
        }
        return nil
    }

    /// - Parameter marks: the top bits of those of sixteen bytes that are brackets.
    @inline(never)
    private func document(_ at: Int, _ marks: SIMD2<UInt64>) -> Int? {
        for half in 0..<2 {
            var left = marks[half]
            while left != 0 {
                let place = at + half * 8 + left.trailingZeroBitCount >> 3
                if place < count, begins(place) { return place }
                left &= left - 1
            }
        }
        return nil
    }

    private func begins(_ at: Int) -> Bool {
        var next = at + 1
        while next < at + 64, [0x20, 0x0A, 0x0D, 0x09].contains(byte(next)) { next += 1 }
        return byte(next) == (base[at] == UInt8(ascii: "{") ? UInt8(ascii: "\"") : UInt8(ascii: "{"))
    }
}

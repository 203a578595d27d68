/// What stops the reading of OTLP/JSON.
enum JSONProblem: Error {
    /// The text is not JSON, or not an ExportTraceServiceRequest.
    case malformed(_ what: StaticString, offset: Int)
    /// One span, or one resource or scope, does not hold what it should.
    case defect(SpanDefect)
}

/// Reads JSON text from the first byte to the last, without building a tree.
///
/// Behind the text stand zero bytes (``Payload/slack``): every loop ends at one of them, so most need not ask for the end.
struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    private let arena: UnsafeMutablePointer<Batch.Arena>

    /// How deep objects and arrays that nobody reads may be nested. An attribute value takes three levels for each of its own,
    /// and a span that is skipped because of a defect must not cost the request, however deep its values.
    static let maxSkippedDepth = 1024

    init(_ arena: UnsafeMutablePointer<Batch.Arena>) {
        self.arena = arena
        base = arena.pointee.payload.base.assumingMemoryBound(to: UInt8.self)
        end = arena.pointee.payload.count
        // What JSON text decodes to is never longer than the text.
        arena.pointee.side.reserve(end)
    }

    func malformed(_ what: StaticString) -> JSONProblem {
        .malformed(what, offset: min(position, end))
    }

    /// The next byte that is not white space. It is not consumed.
    @inline(__always)
    mutating func peek() -> UInt8 {
        let byte = base[position]
        if _fastPath(byte > 0x20) { return byte }
        return peekBehindSpace()
    }

    @inline(never)
    private mutating func peekBehindSpace() -> UInt8 {
        while true {
            switch base[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            case let byte: return byte
            }
        }
    }

    /// Consumes this byte, or says what was wanted.
    @inline(__always)
    mutating func expect(_ byte: UInt8, _ what: StaticString) throws(JSONProblem) {
        guard peek() == byte else { throw malformed(what) }
        position += 1
    }

    /// Consumes this byte if it is next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// Whether the value is `null`, which proto3 JSON reads as the default. Consumes it.
    @inline(__always)
    mutating func takeNull() throws(JSONProblem) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try skipWord("null")
        return true
    }

    // MARK: Objects and arrays

    /// Calls `read` with the position on each element of an array. Null is an empty array.
    @inline(__always)
    mutating func eachElement(
        _ read: (inout JSONScanner) throws(JSONProblem) -> Void
    ) throws(JSONProblem) {
        guard take(UInt8(ascii: "[")) else {
            if try takeNull() { return }
            throw .defect(.value)
        }
        if take(UInt8(ascii: "]")) { return }
        repeat { try read(&self) } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"), "a comma or the end of an array was wanted")
    }

    /// Calls `read` with each key of an object, and the position on its value. Null is an empty object.
    @inline(__always)
    mutating func eachMember(
        _ read: (inout JSONScanner, JSONKey) throws(JSONProblem) -> Void
    ) throws(JSONProblem) {
        guard take(UInt8(ascii: "{")) else {
            if try takeNull() { return }
            throw .defect(.value)
        }
        if take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try readKey()
            try expect(UInt8(ascii: ":"), "a colon was wanted")
            try read(&self, key)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"), "a comma or the end of an object was wanted")
    }

    @inline(__always)
    private mutating func readKey() throws(JSONProblem) -> JSONKey {
        guard peek() == UInt8(ascii: "\"") else { throw malformed("a key was wanted") }
        let count = arena.pointee.side.count
        let ref = try readString()
        // An unescaped key is compared at once and then no longer needed. Inside a nested value it would stand in the encoding.
        arena.pointee.side.count = count
        let key = (ref.isInSide ? UnsafePointer(arena.pointee.side.base) : base) + ref.position
        return JSONKey(base: key, count: Int(ref.count))
    }

    // MARK: Strings

    /// Reads a string that stands here. Text without escapes stays where it is; else it is unescaped into the side buffer.
    @inline(__always)
    mutating func readString() throws(JSONProblem) -> ByteRef {
        guard peek() == UInt8(ascii: "\"") else { throw .defect(.value) }
        let start = position + 1
        let cursor = JSONScanner.endOfPlainText(base, start)
        guard _fastPath(base[cursor] == UInt8(ascii: "\"")) else { return try readLongString(start, cursor) }
        // The zero bytes behind the text are special too, so a quote found here is one of the text.
        position = cursor + 1
        return ByteRef(start, cursor - start)
    }

    /// The index of the first of sixteen bytes that ends a run of plain ASCII, or 16: a quote, a backslash, a control
    /// character, or a byte above 0x7F.
    ///
    /// For bytes below 0x80, each subtraction sets the top bit just where the byte is the one looked for. (Comparing SIMD
    /// vectors would say the same; Swift 6.3 makes a loop over the lanes of it, sixty times as slow.)
    @inline(__always)
    private static func firstSpecial(_ base: UnsafePointer<UInt8>) -> Int {
        let block = UnsafeRawPointer(base).loadUnaligned(as: SIMD16<UInt8>.self)
        let one = SIMD16<UInt8>(repeating: 1)
        let quotes = (block ^ SIMD16(repeating: 0x22)) &- one
        let backslashes = (block ^ SIMD16(repeating: 0x5C)) &- one
        let controls = block &- SIMD16(repeating: 0x20)
        let found = unsafeBitCast(quotes | backslashes | controls | block, to: SIMD2<UInt64>.self)
        let low = found[0] & 0x8080_8080_8080_8080
        if low != 0 { return low.trailingZeroBitCount &>> 3 }
        return 8 &+ (found[1] & 0x8080_8080_8080_8080).trailingZeroBitCount &>> 3
    }

    /// A string in which something other than plain ASCII stands at `cursor`.
    @inline(never)
    private mutating func readLongString(_ start: Int, _ found: Int) throws(JSONProblem) -> ByteRef {
        var cursor = found
        while true {
            let byte = base[cursor]
            if byte >= 0x80 {
                let length = sequenceLength(base + cursor, end - cursor)
                guard length > 0 else { return try notText(cursor) }
                cursor &+= length
            } else if byte == UInt8(ascii: "\"") {
                position = cursor + 1
                return ByteRef(start, cursor - start)
            } else if byte == UInt8(ascii: "\\") {
                return try unescape(start, cursor)
            } else {
                position = cursor
                throw malformed("a string does not end, or holds a control character")
            }
            cursor = JSONScanner.endOfPlainText(base, cursor)
        }
    }

    /// Where the first byte stands, from `start` on, that is a quote, a backslash, a control character or above 0x7F.
    @inline(__always)
    static func endOfPlainText(_ base: UnsafePointer<UInt8>, _ start: Int) -> Int {
        var cursor = start
        while true {
            let special = firstSpecial(base + cursor)
            cursor &+= special
            if special < 16 { return cursor }
        }
    }

    /// Copies the string that starts at `start` into the side buffer; `firstEscape` is the position of its first backslash.
    private mutating func unescape(_ start: Int, _ firstEscape: Int) throws(JSONProblem) -> ByteRef {
        // What is written is never longer than what is read. The room for it was reserved, unless long texts in a list, whose
        // lengths take more bytes in protobuf than the quotes did, have used it up.
        let first = arena.pointee.side.count
        arena.pointee.side.reserve(first + end - start)
        if arena.pointee.side.isOverfull { throw malformed("the text decodes to more than the limit") }
        let target = arena.pointee.side.base
        var out = first
        copy(base + start, target + out, firstEscape - start)
        out += firstEscape - start
        var cursor = firstEscape
        while true {
            let byte = base[cursor]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                (cursor, out) = try readEscape(cursor, target, out)
            } else if byte >= 0x80 {
                let length = sequenceLength(base + cursor, end - cursor)
                guard length > 0 else { return try notText(cursor) }
                UnsafeMutableRawPointer(target + out).storeBytes(
                    of: loadLittle32(base + cursor).littleEndian, as: UInt32.self)
                cursor &+= length
                out &+= length
            } else if byte < 0x20 {
                position = cursor
                throw malformed("a string does not end, or holds a control character")
            }
            while true {
                // Sixteen bytes at once: what is too many is written over, and behind the capacity stands slack.
                let block = UnsafeRawPointer(base + cursor).loadUnaligned(as: SIMD2<UInt64>.self)
                UnsafeMutableRawPointer(target + out).storeBytes(of: block, as: SIMD2<UInt64>.self)
                let special = JSONScanner.firstSpecial(base + cursor)
                cursor &+= special
                out &+= special
                if special < 16 { break }
            }
        }
        position = cursor + 1
        arena.pointee.side.count = out
        return ByteRef(first, out - first, origin: ByteRef.side)
    }

    @inline(__always)
    private func copy(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) {
        UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
    }

    /// Writes what the escape at `cursor` stands for. - Returns: where to read and where to write next.
    @inline(__always)
    private mutating func readEscape(
        _ cursor: Int, _ target: UnsafeMutablePointer<UInt8>, _ out: Int
    ) throws(JSONProblem) -> (Int, Int) {
        let plain: UInt8
        switch base[cursor + 1] {
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "\""): plain = 0x22
        case UInt8(ascii: "\\"): plain = 0x5C
        case UInt8(ascii: "/"): plain = 0x2F
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "u"): return try readUnicodeEscape(cursor, target, out)
        default:
            position = cursor
            throw malformed("an unknown escape stands in a string")
        }
        target[out] = plain
        return (cursor + 2, out + 1)
    }

    @inline(never)
    private mutating func readUnicodeEscape(
        _ start: Int, _ target: UnsafeMutablePointer<UInt8>, _ out: Int
    ) throws(JSONProblem) -> (Int, Int) {
        var cursor = start + 6
        var scalar = try hexadecimal4(start + 2)
        if scalar & 0xFC00 == 0xD800, base[cursor] == UInt8(ascii: "\\"), base[cursor + 1] == UInt8(ascii: "u") {
            let low = try hexadecimal4(cursor + 2)
            if low & 0xFC00 == 0xDC00 {
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
                cursor += 6
            }
        }
        // Half of a surrogate pair is no character, and has no UTF-8.
        guard let unicode = Unicode.Scalar(scalar) else {
            _ = try notText(start)
            return (start, out)
        }
        var next = out
        for unit in UTF8.encode(unicode).unsafelyUnwrapped {
            target[next] = unit
            next += 1
        }
        return (cursor, next)
    }

    private mutating func hexadecimal4(_ start: Int) throws(JSONProblem) -> UInt32 {
        var value: UInt32 = 0
        for index in start..<start + 4 {
            guard let digit = hexDigit(base[index]) else {
                position = index
                throw malformed("four hexadecimal digits were wanted behind \\u")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func notText(_ offset: Int) throws(JSONProblem) -> ByteRef {
        position = offset
        throw .defect(.text)
    }

    // MARK: What nobody reads

    /// Consumes a value of any kind, strictly by the grammar of RFC 8259.
    mutating func skipValue(depth: Int = 0) throws(JSONProblem) {
        guard depth < JSONScanner.maxSkippedDepth else { throw malformed("a value is nested too deep") }
        switch peek() {
        case UInt8(ascii: "{"):
            try eachMember { (scanner, _) throws(JSONProblem) in try scanner.skipValue(depth: depth + 1) }
        case UInt8(ascii: "["):
            try eachElement { (scanner) throws(JSONProblem) in try scanner.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default: _ = try readNumberText()
        }
    }

    /// Consumes a string without a look at its text; that is the affair of whoever reads it.
    private mutating func skipString() throws(JSONProblem) {
        position += 1
        while true {
            switch base[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try skipEscape()
            case 0..<0x20:
                throw malformed("a string does not end, or holds a control character")
            default: position += 1
            }
            if position > end { throw malformed("a string does not end") }
        }
    }

    private mutating func skipEscape() throws(JSONProblem) {
        switch base[position + 1] {
        case UInt8(ascii: "u"):
            _ = try hexadecimal4(position + 2)
            position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        default: throw malformed("an unknown escape stands in a string")
        }
    }

    mutating func skipWord(_ word: StaticString) throws(JSONProblem) {
        for index in 0..<word.utf8CodeUnitCount {
            guard base[position + index] == word.utf8Start[index] else { throw malformed("a value was wanted") }
        }
        position += word.utf8CodeUnitCount
    }

    /// The bytes of a number, strictly by the grammar of RFC 8259: -? int frac? exp?
    mutating func readNumberText() throws(JSONProblem) -> ByteRef {
        let start = position
        if base[position] == UInt8(ascii: "-") { position += 1 }
        if base[position] == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if base[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if base[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        return ByteRef(start, position - start)
    }

    private mutating func skipDigits() throws(JSONProblem) {
        guard isDigit(base[position]) else { throw malformed("a value was wanted") }
        while isDigit(base[position]) { position += 1 }
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}

@inline(__always)
func hexDigit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - UInt8(ascii: "0") }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
}

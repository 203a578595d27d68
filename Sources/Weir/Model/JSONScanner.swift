/// What stops the reading of OTLP/JSON.
enum JSONProblem: Error {
    /// The text is not JSON, or not an ExportTraceServiceRequest.
    case malformed(_ what: StaticString, offset: Int)
    /// One span, or one resource or scope, does not hold what it should.
    case defect(SpanDefect)
}

/// Reads JSON text from the first byte to the last, without building a tree.
///
/// Behind the text stand zero bytes (``Payload/slack``): every loop ends at one of them, so most need not ask for the
/// end.
struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    let arena: UnsafeMutablePointer<Batch.Arena>

    /// How deep objects and arrays that nobody reads may be nested. An attribute value takes three levels for each of
    /// its own, and a span that is skipped because of a defect must not cost the request, however deep its values.
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
        // An unescaped key is compared at once and then no longer needed. Inside a nested value it would stand in the
        // encoding.
        arena.pointee.side.count = count
        let key = (ref.isInSide ? UnsafePointer(arena.pointee.side.base) : base) + ref.position
        return JSONKey(base: key, count: Int(ref.count))
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

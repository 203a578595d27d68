// Strings: found sixteen bytes at a time, checked as UTF-8, unescaped into the side buffer where they have escapes.

extension JSONScanner {
    /// Reads a string that stands here. Text without escapes stays where it is; else it is unescaped into the side
    /// buffer.
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
    /// For bytes below 0x80, each subtraction sets the top bit just where the byte is the one looked for. (Comparing
    /// SIMD vectors would say the same; Swift 6.3 makes a loop over the lanes of it, sixty times as slow.)
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

    /// Copies the string that starts at `start` into the side buffer; `firstEscape` is the position of its first
    /// backslash.
    private mutating func unescape(_ start: Int, _ firstEscape: Int) throws(JSONProblem) -> ByteRef {
        // What is written is never longer than what is read. The room for it was reserved, unless long texts in a list,
        // whose lengths take more bytes in protobuf than the quotes did, have used it up.
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
        // UTF-8 has a form for every scalar.
        for unit in UTF8.encode(unicode).unsafelyUnwrapped {
            target[next] = unit
            next += 1
        }
        return (cursor, next)
    }

    mutating func hexadecimal4(_ start: Int) throws(JSONProblem) -> UInt32 {
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
}

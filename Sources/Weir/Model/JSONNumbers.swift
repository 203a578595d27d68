// Numbers, ids and bytes as OTLP/JSON writes them.

extension JSONScanner {
    /// A 64-bit number without a sign: decimal, as a number or as a string (proto3 JSON takes both), exact.
    @inline(__always)
    mutating func readUInt64() throws(JSONProblem) -> UInt64 {
        let first = peek()
        let isQuoted = first == UInt8(ascii: "\"")
        var cursor = position &+ (isQuoted ? 1 : 0)
        let start = cursor
        var value: UInt64 = 0
        // Eighteen digits cannot overflow.
        while cursor &- start <= 8, let eight = decimal8(loadLittle64(base + cursor)) {
            value = value &* 100_000_000 &+ eight
            cursor &+= 8
        }
        while cursor &- start < 18, isDigit(base[cursor]) {
            value = value &* 10 &+ UInt64(base[cursor] &- UInt8(ascii: "0"))
            cursor &+= 1
        }
        while isDigit(base[cursor]) {
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(base[cursor] - UInt8(ascii: "0")))
            if high || carry { throw .defect(.value) }
            value = sum
            cursor &+= 1
        }
        let isPlain = cursor > start && (cursor &- start == 1 || base[start] != UInt8(ascii: "0"))
        if _fastPath(isPlain && (isQuoted ? base[cursor] == UInt8(ascii: "\"") : isEndOfNumber(base[cursor]))) {
            position = cursor &+ (isQuoted ? 1 : 0)
            return value
        }
        guard let whole = try readWholeNumber(), !whole.isNegative || whole.magnitude == 0 else {
            throw .defect(.value)
        }
        return whole.magnitude
    }

    mutating func readInt64() throws(JSONProblem) -> Int64 {
        let offset = peek() == UInt8(ascii: "\"") ? 1 : 0
        guard base[position + offset] == UInt8(ascii: "-") else {
            guard let value = Int64(exactly: try readUInt64()) else { throw .defect(.value) }
            return value
        }
        guard let whole = try readWholeNumber() else { throw .defect(.value) }
        guard whole.isNegative else {
            guard let value = Int64(exactly: whole.magnitude) else { throw .defect(.value) }
            return value
        }
        guard whole.magnitude <= UInt64(Int64.max) + 1 else { throw .defect(.value) }
        return Int64(truncatingIfNeeded: 0 &- whole.magnitude)
    }

    /// A count or flags.
    mutating func readUInt32() throws(JSONProblem) -> UInt32 {
        guard let value = UInt32(exactly: try readUInt64()) else { throw .defect(.value) }
        return value
    }

    /// OTLP/JSON: "Values of enum fields MUST be encoded as integer values … enum name strings MUST NOT be used".
    ///
    /// proto3 enums are open, so a value without a name is taken, as far as a record can hold it.
    mutating func readEnum() throws(JSONProblem) -> UInt8 {
        guard peek() != UInt8(ascii: "\""), let value = UInt8(exactly: try readUInt64()) else { throw .defect(.value) }
        return value
    }

    private func isEndOfNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= 0x20
    }

    /// A whole number in any spelling, `-1`, `1e3` and `"12.0"` among them; nil when it is not whole or has more than
    /// 64 bits.
    @inline(never)
    private mutating func readWholeNumber() throws(JSONProblem) -> (isNegative: Bool, magnitude: UInt64)? {
        let text = try readNumeral()
        var digits: [UInt8] = []
        var exponent = 0
        var isBehindPoint = false
        var index = text.position
        let last = text.position + Int(text.count)
        let isNegative = base[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        while index < last, base[index] | 0x20 != UInt8(ascii: "e") {
            if base[index] == UInt8(ascii: ".") {
                isBehindPoint = true
            } else {
                if digits.count < 64 || base[index] != UInt8(ascii: "0") {
                    digits.append(base[index] - UInt8(ascii: "0"))
                }
                if isBehindPoint { exponent -= 1 }
                guard digits.count <= 64 else { return nil }
            }
            index += 1
        }
        if index < last {
            let written = String(
                decoding: UnsafeBufferPointer(start: base + index + 1, count: last - index - 1), as: UTF8.self)
            guard let value = Int(written), (-999...999).contains(value) else { return nil }
            exponent += value
        }
        return magnitude(digits, exponent).map { (isNegative, $0) }
    }

    private func magnitude(_ digits: [UInt8], _ exponent: Int) -> UInt64? {
        var digits = digits
        var exponent = exponent
        while exponent < 0, digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        if digits.allSatisfy({ $0 == 0 }) { return 0 }
        guard exponent >= 0, exponent <= 20 else { return nil }
        var value: UInt64 = 0
        for digit in digits + [UInt8](repeating: 0, count: exponent) {
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if high || carry { return nil }
            value = sum
        }
        return value
    }

    /// The text of a number that may stand in quotes.
    private mutating func readNumeral() throws(JSONProblem) -> ByteRef {
        let isQuoted = take(UInt8(ascii: "\""))
        guard isDigit(base[position]) || base[position] == UInt8(ascii: "-") else { throw .defect(.value) }
        let text = try readNumberText()
        if isQuoted {
            guard base[position] == UInt8(ascii: "\"") else { throw .defect(.value) }
            position += 1
        }
        return text
    }

    /// proto3 JSON: a number, or one of the strings "NaN", "Infinity", "-Infinity", or a number as a string.
    mutating func readDouble() throws(JSONProblem) -> Double {
        if peek() == UInt8(ascii: "\"") {
            for (word, value) in [
                ("\"NaN\"" as StaticString, Double.nan), ("\"Infinity\"", .infinity), ("\"-Infinity\"", -.infinity),
            ]
            where JSONKey(base: base + position, count: word.utf8CodeUnitCount).equals(word) {
                position += word.utf8CodeUnitCount
                return value
            }
        }
        let text = try readNumeral()
        let number = Double(
            String(decoding: UnsafeBufferPointer(start: base + text.position, count: Int(text.count)), as: UTF8.self))
        // What is too large for a double would become infinite: that is not what was sent.
        guard let number, number.isFinite else { throw .defect(.value) }
        return number
    }

    mutating func readBool() throws(JSONProblem) -> Bool {
        switch peek() {
        case UInt8(ascii: "t"):
            try skipWord("true")
            return true
        case UInt8(ascii: "f"):
            try skipWord("false")
            return false
        default: throw .defect(.value)
        }
    }

    // MARK: Identifiers

    /// OTLP/JSON: "traceId and spanId byte arrays are represented as case-insensitive hex-encoded strings; they are not
    /// base64".
    /// - Returns: the id and how many hexadecimal digits it had: 0 for an empty string.
    mutating func readIdentifier() throws(JSONProblem) -> (high: UInt64, low: UInt64, digits: Int) {
        let text = try readString()
        guard !text.isInSide, text.count <= 32 else { throw .defect(.identifierHex) }
        let start = base + text.position
        switch text.count {
        case 0: return (0, 0, 0)
        case 16:
            guard let low = hexadecimal16(start) else { throw .defect(.identifierHex) }
            return (0, low, 16)
        case 32:
            guard let high = hexadecimal16(start), let low = hexadecimal16(start + 16) else {
                throw .defect(.identifierHex)
            }
            return (high, low, 32)
        default: return (0, 0, Int(text.count))
        }
    }

    /// Sixteen hexadecimal digits, eight at a time.
    @inline(__always)
    private func hexadecimal16(_ start: UnsafePointer<UInt8>) -> UInt64? {
        guard let high = hexadecimal8(loadLittle64(start)), let low = hexadecimal8(loadLittle64(start + 8)) else {
            return nil
        }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// Eight hexadecimal digits, the first in the lowest byte.
    @inline(__always)
    private func hexadecimal8(_ word: UInt64) -> UInt32? {
        let letters = atLeast(word | every(0x20), 0x61) & ~atLeast(word | every(0x20), 0x67)
        let digits = atLeast(word, 0x30) & ~atLeast(word, 0x3A)
        guard word & every(0x80) == 0, (letters | digits) & every(0x80) == every(0x80) else { return nil }
        var nibbles = ((word & every(0x0F)) &+ ((letters & every(0x80)) &>> 7) &* 9).byteSwapped
        nibbles = (nibbles | nibbles &>> 4) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles &>> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: nibbles | nibbles &>> 16)
    }
}

/// This byte, eight times.
@inline(__always)
private func every(_ byte: UInt64) -> UInt64 {
    byte &* 0x0101_0101_0101_0101
}

/// The top bit of each byte tells whether that byte, which is below 0x80, is at least `limit`.
@inline(__always)
private func atLeast(_ word: UInt64, _ limit: UInt64) -> UInt64 {
    word &+ every(0x80 &- limit)
}

/// The number that eight decimal digits make, the first in the lowest byte.
@inline(__always)
private func decimal8(_ word: UInt64) -> UInt64? {
    let digits = atLeast(word, 0x30) & ~atLeast(word, 0x3A)
    guard word & every(0x80) == 0, digits & every(0x80) == every(0x80) else { return nil }
    // Pairs, then fours, then all eight: each step multiplies and adds neighbours at once.
    var value = word &- every(0x30)
    value = (value &* 10) &+ (value &>> 8)
    value =
        ((value & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064)
        &+ (((value &>> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001)
    return value &>> 32
}

/// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or code points above
/// U+10FFFF.
///
/// Reads up to seven bytes behind the end; every buffer of a batch has that slack.
@inline(__always)
func isValidUTF8(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    _fastPath(count <= 64 && isShortASCII(base, count)) || isValidLong(base, count)
}

/// Whether at most 64 bytes are all ASCII. The four loads overlap instead of branching on the length.
@inline(__always)
func isShortASCII(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    if _fastPath(count >= 16) {
        let last = count &- 16
        let folded =
            loadPair(base) | loadPair(base + min(16, last)) | loadPair(base + min(32, last)) | loadPair(base + last)
        return (folded[0] | folded[1]) & highBits == 0
    }
    if count >= 8 { return (loadLittle64(base) | loadLittle64(base + (count &- 8))) & highBits == 0 }
    return loadLittle64(base) & ((1 &<< (UInt64(truncatingIfNeeded: count) &* 8)) &- 1) & highBits == 0
}

@inline(__always)
private func loadPair(_ base: UnsafePointer<UInt8>) -> SIMD2<UInt64> {
    UnsafeRawPointer(base).loadUnaligned(as: SIMD2<UInt64>.self)
}

private var highBits: UInt64 { 0x8080_8080_8080_8080 }

@inline(never)
private func isValidLong(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var position = 0
    while position + 64 <= count {
        let block = UnsafeRawPointer(base + position).loadUnaligned(as: SIMD8<UInt64>.self)
        let folded = block.lowHalf | block.highHalf
        let pair = folded.lowHalf | folded.highHalf
        if (pair[0] | pair[1]) & highBits != 0 { return isValidMultibyte(base + position, count - position) }
        position += 64
    }
    return isValidMultibyte(base + position, count - position)
}

@inline(never)
private func isValidMultibyte(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var position = 0
    while position < count {
        let notASCII = loadLittle64(base + position) & highBits
        if notASCII == 0 {
            position &+= 8
            continue
        }
        if notASCII == highBits {
            let dense = denseLength(base + position, count &- position)
            position &+= dense
            if dense > 0 { continue }
        }
        position &+= notASCII.trailingZeroBitCount &>> 3
        if position >= count { return true }
        let length = sequenceLength(base + position, count - position)
        if length == 0 { return false }
        position &+= length
    }
    return true
}

/// Bytes of the characters that begin here, two or four at a time, as far as they are of scripts in which most texts
/// have nothing else: Chinese, Japanese and Korean, Cyrillic, Greek, Hebrew and Arabic. One by one they take longer.
@inline(never)
private func denseLength(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var position = 0
    while position &+ 8 <= count {
        let word = loadLittle64(base + position)
        if word & 0xC0C0_F0C0_C0F0 == 0x8080_E080_80E0, isPlainLead(word), isPlainLead(word &>> 24) {
            position &+= 6
        } else if word & 0xC0E0_C0E0_C0E0_C0E0 == 0x80C0_80C0_80C0_80C0,
            // C8 to DF: no overlong forms among them.
            (word | word &<< 1) & 0x0010_0010_0010_0010 == 0x0010_0010_0010_0010
        {
            position &+= 8
        } else {
            break
        }
    }
    return position
}

/// Whether the lowest byte is E1 to EC: behind these any two continuation bytes are well-formed.
@inline(__always)
private func isPlainLead(_ word: UInt64) -> Bool {
    UInt8(truncatingIfNeeded: word) &- 0xE1 < 12
}

/// The length of the well-formed sequence that starts here with a byte that is not ASCII, or 0.
@inline(__always)
func sequenceLength(_ base: UnsafePointer<UInt8>, _ available: Int) -> Int {
    let lead = base[0]
    if lead < 0xE0 {
        guard lead >= 0xC2, available >= 2, isContinuation(base[1]) else { return 0 }
        return 2
    }
    if lead < 0xF0 {
        guard available >= 3, isContinuation(base[1]), isContinuation(base[2]) else { return 0 }
        if lead == 0xE0, base[1] < 0xA0 { return 0 }  // overlong
        if lead == 0xED, base[1] >= 0xA0 { return 0 }  // surrogate
        return 3
    }
    guard lead <= 0xF4, available >= 4 else { return 0 }
    guard isContinuation(base[1]), isContinuation(base[2]), isContinuation(base[3]) else { return 0 }
    if lead == 0xF0, base[1] < 0x90 { return 0 }  // overlong
    if lead == 0xF4, base[1] >= 0x90 { return 0 }  // above U+10FFFF
    return 4
}

@inline(__always)
private func isContinuation(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
}

extension UnsafeRawBufferPointer {
    /// The text, or as much of it as fits into so many bytes and ends between two characters.
    func cut(to limit: Int) -> UnsafeRawBufferPointer {
        guard count > limit else { return self }
        var end = limit
        while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[..<end])
    }
}

/// Finds personal data and secrets in a text, in one pass over its bytes.
///
/// Most bytes are passed over sixteen at a time. A byte at which something may be standing (the first digit of a run,
/// `@`, `:`, `=`, `-`, `.`, `_`, `A`, `J`) is looked at by whoever knows what can stand around it; what has the right
/// shape is then checked. No text can make it slow: whoever looks goes a bounded number of bytes to either side, or
/// goes on behind what it has read.
struct TextScanner: ~Copyable {
    /// A run of digits, and what separates it from the next.
    struct Group: BitwiseCopyable {
        var start: Int
        var end: Int
        /// The byte between this group and the next; `)` stands for a bracket with or without a space; 0 for none.
        var separator: UInt8
        /// Where its digits stand in `digits`.
        var offset: Int

        var count: Int { end - start }
    }

    static let maxGroups = 12
    static let maxDigits = 64

    /// What is looked for in the next text.
    var enabled: DetectorSet
    /// Finds more, and more that is not what it looks like.
    let isStrict: Bool
    let words = ContextWords.standard
    let heads = TokenPrefix.heads
    let endings = TokenPrefix.endings
    let groups = UnsafeMutablePointer<Group>.allocate(capacity: maxGroups + 1)
    let digits = UnsafeMutablePointer<UInt8>.allocate(capacity: maxDigits * (maxGroups + 1))
    /// What was found in the last text: in order, without overlaps.
    private(set) var findings = RecordBuffer<RedactionFinding>(capacity: 64, limit: 64 << 20)

    private(set) var text: TextBytes
    /// Addresses of private networks count as well.
    var takesAnyAddress = false
    /// What the key of the text hints at.
    var keyHints: DetectorSet = []
    /// Behind what was read already.
    var resume = 0
    /// Where the last value ended that was taken for a secret's.
    var secretEnd = 0
    /// The hints around the group that is looked at, and which that is.
    var nearHints: DetectorSet = []
    var nearStart = -1

    init(_ enabled: DetectorSet, isStrict: Bool = false) {
        self.enabled = enabled
        self.isStrict = isStrict
        text = TextBytes(base: UnsafePointer(digits), count: 0)
    }

    deinit {
        groups.deallocate()
        digits.deallocate()
    }

    /// - Parameters:
    ///   - bytes: followed by at least sixteen bytes that can be read.
    ///   - hints: what the key says.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, hints: DetectorSet = [], anyAddress: Bool = false) {
        findings.count = 0
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        text = TextBytes(base: start, count: bytes.count)
        keyHints = hints
        takesAnyAddress = anyAddress
        resume = 0
        secretEnd = 0
        nearStart = -1
        var position = 0
        var carry: UInt64 = 0
        while position < count {
            var (low, high) = Self.triggers(start + position, &carry)
            if count - position < 16 { (low, high) = Self.cut(low, high, to: count - position) }
            while low != 0 {
                visit(position + low.trailingZeroBitCount >> 3)
                low &= low - 1
            }
            while high != 0 {
                visit(position + 8 + high.trailingZeroBitCount >> 3)
                high &= high - 1
            }
            position += 16
            if resume > position {
                position = resume
                carry = isDigit(base[position - 1]) ? 1 : 0
            }
        }
    }

    // MARK: Sixteen bytes at a time

    /// The top bit of each byte at which something may stand. `carry` says whether the byte before is a digit.
    ///
    /// Swift has no good way from a vector's comparison to its bits, so this stays with sums: for bytes below 0x80,
    /// `x + (0x80 - c)` has its top bit set where `x >= c`.
    @inline(__always)
    private static func triggers(_ at: UnsafeRawPointer, _ carry: inout UInt64) -> (UInt64, UInt64) {
        let block = at.loadUnaligned(as: SIMD16<UInt8>.self)
        let fromZero = block &+ SIMD16(repeating: 0x50)
        let aboveNine = block &+ SIMD16(repeating: 0x46)
        let aboveColon = block &+ SIMD16(repeating: 0x45)
        let atOrA = (block &+ SIMD16(repeating: 0x40)) & ~(block &+ SIMD16(repeating: 0x3E))
        let dashOrDot = (block &+ SIMD16(repeating: 0x53)) & ~(block &+ SIMD16(repeating: 0x51))
        let others =
            (aboveNine & ~aboveColon) | atOrA | dashOrDot | ~differs(block, 0x3D) | ~differs(block, 0x5F)
            | ~differs(block, 0x4A)
        let ascii = ~block & SIMD16(repeating: 0x80)
        let digits = unsafeBitCast(fromZero & ~aboveNine & ascii, to: SIMD2<UInt64>.self)
        let rest = unsafeBitCast(others & ascii, to: SIMD2<UInt64>.self)
        let low = digits[0] & ~(digits[0] << 8 | carry << 7)
        let high = digits[1] & ~(digits[1] << 8 | digits[0] >> 56)
        carry = digits[1] >> 63
        return (low | rest[0], high | rest[1])
    }

    @inline(__always)
    private static func differs(_ block: SIMD16<UInt8>, _ byte: UInt8) -> SIMD16<UInt8> {
        (block ^ SIMD16(repeating: byte)) &+ SIMD16(repeating: 0x7F)
    }

    private static func cut(_ low: UInt64, _ high: UInt64, to count: Int) -> (UInt64, UInt64) {
        count < 8
            ? (low & (1 << UInt64(count * 8) - 1), 0) : (low, high & (1 << UInt64((count - 8) * 8) - 1))
    }

    private mutating func visit(_ at: Int) {
        guard at >= resume else { return }
        switch base[at] {
        case UInt8(ascii: "@"): visitAt(at, width: 1)
        case UInt8(ascii: ":"):
            if visitAddress(at) { return }
            visitAssignment(at)
        case UInt8(ascii: "="): visitAssignment(at)
        case UInt8(ascii: "-"): visitDash(at)
        case UInt8(ascii: "_"), UInt8(ascii: "."): visitPrefix(at)
        case UInt8(ascii: "A"): visitCapitalA(at)
        case UInt8(ascii: "J"): visitToken(at)
        default: visitDigits(at)
        }
    }

    // MARK: What the others share

    @inline(__always)
    var base: UnsafePointer<UInt8> { text.base }
    @inline(__always)
    var count: Int { text.count }

    @inline(__always)
    func byte(_ at: Int) -> UInt8 { text.byte(at) }

    /// Takes what stands there, unless the detector is off. An earlier finding that it covers gives way to it, and one
    /// that it begins in keeps what it has.
    @discardableResult
    mutating func add(_ detector: Detector, _ start: Int, _ end: Int) -> Bool {
        guard enabled.has(detector) else { return false }
        var start = start
        while findings.count > 0, findings[findings.count - 1].start >= start { findings.count -= 1 }
        if findings.count > 0 { start = max(start, findings[findings.count - 1].end) }
        if start < end { findings.append(RedactionFinding(start: start, end: end, kind: detector.rawValue)) }
        resume = max(resume, end)
        return true
    }

    /// What the words around a place, and the key, hint at.
    mutating func hints(_ start: Int, _ end: Int) -> DetectorSet {
        if nearStart != start {
            nearStart = start
            let before = words.hints(in: base, max(0, start - ContextWords.before)..<start)
            let behind = words.hints(in: base, end..<min(count, end + ContextWords.behind))
            nearHints = keyHints.union(before).union(behind)
        }
        return nearHints
    }
}

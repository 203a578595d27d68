/// Finds personal data and secrets in a text, in one pass over its bytes.
///
/// Most bytes are passed over sixty-four at a time. A byte at which something may be standing (``TextPlaces``) is
/// looked at by whoever knows what can stand around it; what has the right shape is then checked. No text can make it
/// slow: whoever looks goes a bounded number of bytes to either side, or goes on behind what it has read.
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
    /// Builds with checks see to it that nobody looks before it or behind it.
    let groups = UnsafeMutableBufferPointer<Group>.allocate(capacity: maxGroups + 1)
    let digits = UnsafeMutablePointer<UInt8>.allocate(capacity: maxDigits * (maxGroups + 1))
    /// What was found in the last text: in order, without overlaps.
    private(set) var findings: RecordBuffer<RedactionFinding>
    /// Bytes of findings for which there stays room.
    private static let keptRoom = 1 << 20

    private(set) var text: TextBytes
    /// Addresses of private networks count as well.
    var takesAnyAddress = false
    /// What the key of the text hints at.
    var keyHints: DetectorSet = []
    /// Behind what was read already.
    var resume = 0
    /// Something of full width stands in the text that something may be found in.
    private var hasWide = false
    /// Where the last value ended that was taken for a secret's.
    var secretEnd = 0
    /// Where the last number ended that was found to be something.
    var lastTaken = -1
    /// Runs of digits without marks between them count as well.
    var takesBareNumbers = true
    /// The hints in front of the place that was looked at last, and behind one, and where those are.
    var hintsBefore: DetectorSet = []
    var hintsBehind: DetectorSet = []
    var hintedStart = -1
    var hintedEnd = -1

    /// - Parameter maxFindings: bytes that the findings of one text may take.
    init(_ enabled: DetectorSet, isStrict: Bool = false, maxFindings: Int = 64 << 20) {
        self.enabled = enabled
        self.isStrict = isStrict
        findings = RecordBuffer(capacity: 64, limit: maxFindings)
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
        findings.reset(keeping: Self.keptRoom)
        keyHints = hints
        takesAnyAddress = anyAddress
        hasWide = false
        scan(bytes)
        if hasWide { scan(wide: bytes) }
    }

    @inline(never)
    private mutating func scan(wide bytes: UnsafeRawBufferPointer) {
        let narrow = NarrowText(bytes)
        findings.reset(keeping: Self.keptRoom)
        narrow.bytes.withUnsafeBytes { scan(UnsafeRawBufferPointer(rebasing: $0[..<narrow.count])) }
        narrow.restore(findings, of: bytes)
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        text = TextBytes(base: start, count: bytes.count)
        resume = 0
        secretEnd = 0
        lastTaken = -1
        hintedStart = -1
        hintedEnd = -1
        var places = TextPlaces()
        var position = 0
        while position < count {
            var visits = places.next(text, position)
            while visits != 0 {
                visit(position + visits.trailingZeroBitCount)
                visits &= visits - 1
            }
            position += 64
        }
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
        case 0xEF: if !hasWide { hasWide = isWide(at) }
        default: visitDigits(at)
        }
    }

    /// Whether something of full width stands there that something may be found in. Marks stand in most texts of
    /// Chinese and Japanese, so they count only where what is beside them asks for one.
    @inline(never)
    private func isWide(_ at: Int) -> Bool {
        let (mark, width) = NarrowText.narrow(UnsafeRawBufferPointer(start: base, count: count), at)
        let next = byte(at + 3)
        guard width == 3 else { return false }
        switch mark {
        case UInt8(ascii: ":"), UInt8(ascii: "="):
            return byte(at - 1) < 0x80 && text.mayAssign(at, SecretWords.endings)
        case UInt8(ascii: "."): return text.isWord(at: at - 1) && isWordByte(next)
        case UInt8(ascii: "+"): return isDigit(next)
        case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ")"):
            return isDigit(byte(at - 1)) && (isDigit(next) || isDigit(byte(at + 4)))
        default: return mark == UInt8(ascii: "@") || isWordByte(mark)
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
        if hintedStart != start {
            hintedStart = start
            hintsBefore = keyHints.union(words.hints(in: base, max(0, start - ContextWords.before)..<start))
        }
        if hintedEnd != end {
            hintedEnd = end
            hintsBehind = words.hints(in: base, end..<min(count, end + ContextWords.behind))
        }
        return hintsBefore.union(hintsBehind)
    }
}

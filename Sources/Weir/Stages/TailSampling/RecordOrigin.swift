/// Where a record comes from that a stage has written: which record of which journal, and what was decided about its
/// traces. So after a crash the second journal says what was forwarded, and nothing is decided twice.
///
/// Little-endian: u64 journal, u64 first and u64 last sequence, u32 rules, each a u16 length and its name, u32
/// decisions, each u64 high and u64 low of the trace id, u64 threshold whose highest bit says kept, u16 rule.
struct RecordOrigin: Equatable, Sendable {
    struct Decision: Equatable, Sendable {
        let trace: TraceID
        let threshold: SamplingThreshold
        let isKept: Bool
        let rule: String
    }

    /// Of a rule's name, in bytes.
    private static let maximumName = Int(UInt16.max)
    private static let keptBit: UInt64 = 1 << 63

    let journal: JournalID
    let sequences: ClosedRange<UInt64>
    var decisions: [Decision] = []

    init(_ journal: JournalID, _ sequences: ClosedRange<UInt64>, decisions: [Decision] = []) {
        self.journal = journal
        self.sequences = sequences
        self.decisions = decisions
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(journal.value)
        put(sequences.lowerBound)
        put(sequences.upperBound)
        var rules: [String] = []
        var numbers: [String: UInt16] = [:]
        for decision in decisions where numbers[decision.rule] == nil {
            numbers[decision.rule] = UInt16(truncatingIfNeeded: rules.count)
            rules.append(decision.rule)
        }
        put(UInt32(rules.count))
        for rule in rules {
            let name = rule.utf8.prefix(Self.maximumName)
            put(UInt16(name.count))
            bytes.append(contentsOf: name)
        }
        put(UInt32(decisions.count))
        for decision in decisions {
            put(decision.trace.high)
            put(decision.trace.low)
            put(decision.threshold.rejected | (decision.isKept ? Self.keptBit : 0))
            put(numbers[decision.rule] ?? 0)
        }
        return bytes
    }

    /// - Returns: nil where the bytes are something else.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        func take<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
            guard rest.count >= MemoryLayout<Number>.size else { return nil }
            let number = rest.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
            rest = rest.dropFirst(MemoryLayout<Number>.size)
            return Number(littleEndian: number)
        }
        guard let journal = take(UInt64.self), let first = take(UInt64.self), let last = take(UInt64.self),
            first <= last, let ruleCount = take(UInt32.self)
        else { return nil }
        var rules: [String] = []
        for _ in 0..<ruleCount {
            guard let length = take(UInt16.self), rest.count >= Int(length) else { return nil }
            rules.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        guard let count = take(UInt32.self) else { return nil }
        self.init(JournalID(value: journal), first...last)
        for _ in 0..<count {
            guard let high = take(UInt64.self), let low = take(UInt64.self), let bits = take(UInt64.self),
                let rule = take(UInt16.self), Int(rule) < rules.count
            else { return nil }
            decisions.append(
                Decision(
                    trace: TraceID(high: high, low: low),
                    threshold: SamplingThreshold(rejecting: bits & ~Self.keptBit), isKept: bits & Self.keptBit != 0,
                    rule: rules[Int(rule)]))
        }
    }
}

extension RecordSection {
    var origin: RecordOrigin? { value(of: .origin).flatMap { RecordOrigin($0) } }

    mutating func add(_ origin: RecordOrigin) {
        origin.bytes.withUnsafeBytes { add(.origin, $0) }
    }
}

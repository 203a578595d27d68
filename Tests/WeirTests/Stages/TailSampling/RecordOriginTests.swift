import Testing

@testable import Weir

@Suite struct RecordOriginTests {
    private let origin = RecordOrigin(
        JournalID(value: 7), 3...5,
        decisions: [
            .init(trace: TraceID(high: 1, low: 2), threshold: .always, isKept: true, rule: "errors"),
            .init(trace: TraceID(high: .max, low: .max), threshold: .never, isKept: false, rule: ""),
            .init(
                trace: TraceID(high: 5, low: 6), threshold: SamplingThreshold(rejecting: 12_345), isKept: false,
                rule: "errors"),
        ])

    @Test func isReadAsItWasWritten() {
        var section = RecordSection()
        section.add(origin)
        #expect(section.origin == origin)
        #expect(RecordSection().origin == nil)
    }

    @Test func whatIsCutOffIsNone() {
        let bytes = origin.bytes
        for count in 0..<bytes.count { #expect(RecordOrigin(bytes[..<count]) == nil, "\(count)") }
        #expect(RecordOrigin(bytes[...]) == origin)
    }

    @Test func damagedBytesAreNoTrap() {
        var random = SplitMix64(seed: 8)
        for _ in 0..<20_000 {
            var bytes = origin.bytes
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
            _ = RecordOrigin(bytes[...])
        }
    }

    @Test func aDecisionStandsOnALineAndIsReadAgain() throws {
        for decision in origin.decisions {
            let line = TailSamplingFiles.line(
                of: decision, tenant: "shop", at: Timestamp(nanoseconds: 1_700_000_000_123_456_789))
            #expect(line.last == UInt8(ascii: "\n"))
            let read = line.dropLast().withUnsafeBytes { TailSamplingFiles.decision(in: $0) }
            #expect(read?.decision == decision && read?.tenant == "shop")
            #expect(read?.time == Timestamp(nanoseconds: 1_700_000_000_123_000_000))
        }
        let id = "0123456789abcdef0123456789abcdef"
        // The last two are as an older Weir wrote them, without the tenant.
        for text in [
            "", "a", "\(id) t kept 0 x errors", "kept t kept 0 1 errors", "\(id) t both 0 1 errors",
            "\(id) kept 0 1 errors", "\(id) kept 0 1 7 days",
        ] {
            #expect(Array(text.utf8).withUnsafeBytes { TailSamplingFiles.decision(in: $0) == nil }, "\(text)")
        }
        let odd = RecordOrigin.Decision(
            trace: TraceID(high: 1, low: 2), threshold: .always, isKept: true, rule: "a b\nc")
        let line = TailSamplingFiles.line(of: odd, tenant: "shop", at: Timestamp(nanoseconds: 0))
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(line.dropLast().withUnsafeBytes { TailSamplingFiles.decision(in: $0) }?.decision.rule == "a b?c")
    }
}

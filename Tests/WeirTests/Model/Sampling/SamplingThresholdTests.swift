import Testing

@testable import Weir

@Suite struct SamplingThresholdTests {
    /// The table of tracestate-probability-sampling: 1 in N, and `th` with 3, 4 and 5 digits of precision.
    private static let published: [(n: Double, th: [String])] = [
        (1, ["0", "0", "0"]), (2, ["8", "8", "8"]), (3, ["aab", "aaab", "aaaab"]), (4, ["c", "c", "c"]),
        (5, ["ccd", "cccd", "ccccd"]), (8, ["e", "e", "e"]), (10, ["e66", "e666", "e6666"]), (16, ["f", "f", "f"]),
        (100, ["fd71", "fd70a", "fd70a4"]), (1_000, ["ffbe7", "ffbe77", "ffbe76d"]),
        (10_000, ["fff972", "fff9724", "fff97247"]), (100_000, ["ffff584", "ffff583a", "ffff583a5"]),
        (1_000_000, ["ffffef4", "ffffef39", "ffffef391"]),
    ]

    /// The same table: the exact adjusted counts, where they are not N.
    private static let counts: [(n: Double, counts: [Double])] = [
        (3, [3.0007326007326007, 3.00004577706569, 3.0000028610256777]),
        (5, [5.001221001221001, 5.0000762951094835, 5.0000047683761295]),
        (10, [9.990243902439024, 9.99938968568813, 9.999961853172863]),
        (100, [100.05496183206107, 99.99771123402633, 100.00009536752259]),
        (1_000, [999.5958055290753, 1000.012874769029, 1000.0016987352618]),
        (10_000, [9998.340882002383, 9999.830725674266, 9999.99370426336]),
        (100_000, [100013.21013412817, 99999.238556461, 99999.96614643588]),
        (1_000_000, [1.0016248358208955e+06, 999992.38556461, 1.0000069374699865e+06]),
    ]

    @Test func writesThePublishedThresholds() {
        for (n, th) in Self.published {
            for (precision, text) in zip(3...5, th) {
                let threshold = SamplingThreshold(probability: 1 / n, precision: precision)
                #expect(threshold.text == text, "1 in \(n), precision \(precision)")
                #expect(Self.threshold(text) == threshold)
            }
        }
    }

    @Test func hasThePublishedAdjustedCounts() {
        for (n, counts) in Self.counts {
            for (precision, count) in zip(3...5, counts) {
                let threshold = SamplingThreshold(probability: 1 / n, precision: precision)
                #expect(abs(threshold.adjustedCount - count) <= count * 1e-15, "1 in \(n), precision \(precision)")
            }
        }
        #expect(SamplingThreshold.always.adjustedCount == 1)
    }

    @Test func keepsTheErrorOfAProbabilityInProportion() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<20_000 {
            let probability = Double.random(in: 0..<1, using: &random) * .random(in: 0x1p-40...1, using: &random)
            for precision in 1...14 {
                let threshold = SamplingThreshold(probability: probability, precision: precision)
                let error = abs(threshold.probability - probability) / probability
                let most = Double(sign: .plus, exponent: -4 * (precision - 1), significand: 0.5)
                #expect(threshold != .never && error <= most + 1e-7)
            }
        }
    }

    @Test func knowsTheEndsOfTheScale() {
        #expect(SamplingThreshold(probability: 0) == .never)
        #expect(SamplingThreshold(probability: -1) == .never)
        #expect(SamplingThreshold(probability: 1) == .always)
        #expect(SamplingThreshold(probability: 2) == .always)
        #expect(SamplingThreshold(probability: 0x1p-56).text == "ffffffffffffff")
        #expect(SamplingThreshold(probability: 0x1p-60).text == "ffffffffffffff")
        #expect(SamplingThreshold(probability: 0.99999999, precision: 2).text == "0000002b")
        let most = SamplingRandomness(.max)
        #expect(most.bits == (1 << 56) - 1)
        #expect(!SamplingThreshold.never.keeps(most))
        #expect(SamplingThreshold(probability: 0x1p-56).keeps(most))
        #expect(SamplingThreshold.always.keeps(SamplingRandomness(0)))
    }

    @Test func keepsWhereTheRandomnessIsNotBelow() {
        let quarter = SamplingThreshold(probability: 0.25)
        #expect(quarter.text == "c")
        #expect(quarter.keeps(SamplingRandomness(0xC0_0000_0000_0000)))
        #expect(!quarter.keeps(SamplingRandomness(0xBF_FFFF_FFFF_FFFF)))
    }

    @Test(arguments: ["", "g", "-1", "0x1", "fffffffffffffff", " 8"])
    func takesNothingElseForAThreshold(_ text: String) {
        #expect(Self.threshold(text) == nil)
    }

    @Test func readsCapitalsAndZerosAtTheEnd() {
        #expect(Self.threshold("FD70A40000") == SamplingThreshold(probability: 0.01, precision: 5))
        #expect(Self.threshold("ffffffffffffff")?.rejected == (1 << 56) - 1)
    }

    @Test func takesTheRandomnessFromTheEndOfTheTraceID() {
        let span = SpanRecord(traceIDHigh: 1, traceIDLow: 0xFE12_3456_789A_BCDE)
        #expect(SamplingRandomness(of: span).bits == 0x12_3456_789A_BCDE)
        #expect(
            Array("0123456789abcd".utf8).withUnsafeBytes(SamplingRandomness.init(text:))?.bits == 0x01_2345_6789_ABCD)
        for text in ["123456789abcd", "0123456789abcde", "0123456789abcx"] {
            #expect(Array(text.utf8).withUnsafeBytes(SamplingRandomness.init(text:)) == nil)
        }
    }

    @Test func canOnlyRaiseAThreshold() {
        let (half, quarter) = (SamplingThreshold(probability: 0.5), SamplingThreshold(probability: 0.25))
        #expect(half.equalized(with: quarter) == quarter)
        #expect(quarter.equalized(with: half) == quarter)
        #expect(half.equalized(with: nil) == half)
        #expect(SamplingThreshold.proportional(0.5, of: half) == quarter)
        #expect(SamplingThreshold.proportional(0.5, of: nil) == half)
        #expect(SamplingThreshold.proportional(0.5, of: SamplingThreshold(probability: 0x1p-56)) == .never)
    }

    private static func threshold(_ text: String) -> SamplingThreshold? {
        Array(text.utf8).withUnsafeBytes(SamplingThreshold.init(text:))
    }
}

extension SamplingThreshold {
    /// As a trace state has it.
    var text: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

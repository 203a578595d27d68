import Testing

@testable import Weir

struct DurationHistogramTests {
    @Test func aBucketHoldsItsMiddle() {
        for bucket in Int16(24)..<Int16(63 * 8) {
            #expect(DurationHistogram.bucket(of: UInt64(DurationHistogram.middle(of: bucket))) == bucket)
        }
    }

    @Test func theSmallestAndTheLargestDurationsHaveABucket() {
        #expect([0, 1, 2, 3, 4].map(DurationHistogram.bucket(of:)) == [0, 0, 8, 12, 16])
        #expect(DurationHistogram.bucket(of: .max) == 511)
    }

    @Test func aQuantileIsWithinTheWidthOfABucket() {
        let seed: UInt64 = .random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        var durations: [UInt64] = []
        var histogram = DurationHistogram()
        for _ in 0..<10_000 {
            let duration = UInt64.random(
                in: 1_000...(1_000 << UInt64.random(in: 0...20, using: &random)), using: &random)
            durations.append(duration)
            histogram.add(duration)
        }
        durations.sort()
        for quantile in [0.0, 0.5, 0.9, 0.95, 0.99, 1] {
            let exact = Double(durations[max(0, Int((quantile * 10_000).rounded(.up)) - 1)])
            let found = histogram.quantile(quantile) ?? 0
            #expect(abs(found - exact) / exact <= 0.0626, "seed \(seed), quantile \(quantile): \(found) for \(exact)")
        }
    }

    @Test func nothingHasNoQuantile() {
        #expect(DurationHistogram().quantile(0.5) == nil)
    }

    @Test func mergedHistogramsCountBoth() {
        var one = DurationHistogram()
        one.add(5)
        var other = DurationHistogram()
        other.add(5)
        other.add(1_000)
        one.merge(other)
        #expect(one.buckets.map(\.count).sorted() == [1, 2])
    }

    @Test func itIsReadBackAsADatabaseWritesIt() {
        var histogram = DurationHistogram()
        histogram.add(1_000)
        histogram.add(2_000_000)
        #expect(DurationHistogram(json: histogram.json) == histogram)
        #expect(
            DurationHistogram(json: #"{"167": 1, "79": 1}"#)?.buckets
                == [.init(number: 79, count: 1), .init(number: 167, count: 1)])
        #expect(DurationHistogram(json: "{}") == DurationHistogram())
        for broken in ["", "[]", "{\"a\":1}", "{\"1\"}", "{\"1\":x}"] {
            #expect(DurationHistogram(json: broken) == nil)
        }
    }
}

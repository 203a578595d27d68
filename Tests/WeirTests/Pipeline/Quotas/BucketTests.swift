import Testing

@testable import Weir

@Suite struct BucketTests {
    private func seconds(_ count: Double) -> Timestamp { Timestamp(nanoseconds: UInt64(count * 1e9)) }

    @Test func givesASecondsWorthAtOnceAndThenWhatComesBack() {
        var bucket = Bucket(rate: 10, at: seconds(100))
        for _ in 0..<10 {
            #expect(bucket.pause(at: seconds(100)) == nil)
            bucket.take(1)
        }
        #expect(bucket.pause(at: seconds(100)) == .milliseconds(100))
        #expect(bucket.pause(at: seconds(100.2)) == nil)
        #expect(!bucket.isFull(at: seconds(100.9)))
        #expect(bucket.isFull(at: seconds(101)))
    }

    @Test func whatWasTakenTooMuchIsMadeUpFor() {
        var bucket = Bucket(rate: 100, at: seconds(100))
        bucket.take(1_000)
        #expect(bucket.pause(at: seconds(100)) == .seconds(9.01))
        #expect(bucket.pause(at: seconds(108)) != nil)
        #expect(bucket.pause(at: seconds(50)) != nil, "a clock that was set back gives nothing")
        #expect(bucket.pause(at: seconds(51.1)) == nil)
    }

    @Test func withoutARateNothingIsRefused() {
        var bucket = Bucket(rate: 0, at: seconds(100))
        bucket.take(1 << 40)
        #expect(bucket.pause(at: seconds(100)) == nil)
        #expect(bucket.isFull(at: seconds(100)))
    }
}

import Testing

@testable import Weir

@Suite struct BucketTests {
    private func seconds(_ count: Double) -> Timestamp { Timestamp(nanoseconds: UInt64(count * 1e9)) }

    private func pause(_ bucket: inout Bucket, at second: Double) -> Duration? { bucket.pause(at: seconds(second)) }

    @Test func givesASecondsWorthAtOnceAndThenWhatComesBack() {
        var bucket = Bucket(rate: 10, at: seconds(100))
        for _ in 0..<10 {
            let pause = bucket.pause(at: seconds(100))
            #expect(pause == nil)
            bucket.take(1)
        }
        let pauses = [100, 100.2].map { pause(&bucket, at: $0) }
        #expect(pauses == [.milliseconds(100), nil])
        let isFull = [100.9, 101.0].map { bucket.isFull(at: seconds($0)) }
        #expect(isFull == [false, true])
    }

    @Test func whatWasTakenTooMuchIsMadeUpFor() {
        var bucket = Bucket(rate: 100, at: seconds(100))
        bucket.take(1_000)
        let pauses = [100, 108, 50, 51.1].map { pause(&bucket, at: $0) }
        #expect(pauses[0] == .seconds(9.01))
        #expect(pauses[1] != nil)
        #expect(pauses[2] != nil, "a clock that was set back gives nothing")
        #expect(pauses[3] == nil)
    }

    @Test func withoutARateNothingIsRefused() {
        var bucket = Bucket(rate: 0, at: seconds(100))
        bucket.take(1 << 40)
        let (pause, isFull) = (bucket.pause(at: seconds(100)), bucket.isFull(at: seconds(100)))
        #expect(pause == nil && isFull)
    }
}

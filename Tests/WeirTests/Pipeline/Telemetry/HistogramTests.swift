import Testing

@testable import Weir

@Suite struct HistogramTests {
    @Test func putsAValueIntoTheFirstBucketThatTakesIt() {
        let histogram = Histogram(bounds: [1, 2.5, 10])
        for value in [-3, 0, 1, 1.000_1, 2.5, 9.9, 10, 10.1, 1e300] { histogram.observe(value) }
        let read = histogram.read()
        #expect(read.counts == [3, 2, 2, 2])
        #expect(read.count == 9)
    }

    @Test func addsUpWhatItSaw() {
        let histogram = Histogram(bounds: [1])
        for value in [0.25, 0.5, 4] { histogram.observe(value) }
        #expect(histogram.read().sum == 4.75)
        histogram.observe(Duration.milliseconds(250))
        #expect(histogram.read() == .init(bounds: [1], counts: [3, 1], sum: 5))
    }

    @Test func leavesOutWhatIsNoNumber() {
        let histogram = Histogram(bounds: [1])
        for value in [Double.nan, .infinity, -.infinity] { histogram.observe(value) }
        #expect(histogram.read() == .init(bounds: [1], counts: [0, 0], sum: 0))
    }

    @Test func takesAsManyBoundsAsItSays() {
        let histogram = Histogram(bounds: (1...Histogram.maxBounds).map(Double.init))
        for value in 1...100 { histogram.observe(Double(value)) }
        #expect(histogram.read().counts == Array(repeating: 1, count: 31) + [69])
    }

    @Test func losesNothingAmongThreads() async {
        let histogram = Histogram(bounds: Histogram.latency)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for number in 0..<4_800 { histogram.observe(Double((number + task) % 16)) } }
            }
        }
        let read = histogram.read()
        #expect(read.count == 38_400)
        // Each thread sees 0 to 15 in turn, 300 times.
        #expect(read.sum == 8 * 300 * 120)
    }

    @Test func refusesBoundsThatAreNone() async {
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: []) }
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: [2, 1]) }
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: [1, .infinity]) }
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: (0..<32).map(Double.init)) }
    }
}

import Synchronization

@testable import Weir

/// A clock that stands until it is moved.
final class TestClock: Sendable {
    private let nanoseconds: Mutex<UInt64>

    init(_ nanoseconds: UInt64 = SampleBatch.fourOClock) {
        self.nanoseconds = Mutex(nanoseconds)
    }

    var now: Timestamp { Timestamp(nanoseconds: nanoseconds.withLock { $0 }) }

    func advance(seconds: UInt64) {
        nanoseconds.withLock { $0 += seconds * 1_000_000_000 }
    }
}

import Synchronization

/// How much each key may still send, for all exporters of the process: LangSmith counts the requests of a key, whoever
/// makes them.
final class RequestBuckets: Sendable {
    private struct Key: Hashable {
        let account: UInt64
        let perMinute: Int
    }

    private let buckets = Mutex<[Key: TokenBucket]>([:])

    /// Takes a token of the account.
    /// - Returns: how long to wait for it.
    func take(_ account: UInt64, perMinute: Int, at now: ContinuousClock.Instant) -> Duration {
        buckets.withLock {
            $0[Key(account: account, perMinute: perMinute), default: TokenBucket(perMinute: perMinute, at: now)]
                .take(at: now)
        }
    }
}

import Synchronization

/// How much each key may still send, for all exporters of the process: LangSmith counts the requests of a key, whoever
/// makes them. Where they do not say the same number, the smallest holds.
final class RequestBuckets: Sendable {
    private struct Account {
        var bucket: TokenBucket
        /// So long the number holds, if nobody says it again: whoever did may be gone with a reload.
        var until: ContinuousClock.Instant
    }

    private let accounts = Mutex<[UInt64: Account]>([:])

    /// Takes a token of the account.
    /// - Returns: how long to wait for it.
    func take(_ account: UInt64, perMinute: Int, at now: ContinuousClock.Instant) -> Duration {
        accounts.withLock { accounts in
            var own = accounts[account] ?? Account(bucket: TokenBucket(perMinute: perMinute, at: now), until: now)
            if perMinute < own.bucket.perMinute || own.until < now {
                own.bucket.change(toPerMinute: perMinute, at: now)
            }
            let pause = own.bucket.take(at: now)
            // Who waits for a token asks for no other meanwhile.
            if perMinute == own.bucket.perMinute { own.until = max(own.until, now + pause + .seconds(60)) }
            accounts[account] = own
            return pause
        }
    }
}

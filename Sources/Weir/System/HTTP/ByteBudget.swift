import Synchronization

/// Bytes that may be in use at once, in a whole server.
///
/// A tenant gets what one request may take, and beyond that as long as it has no more than is then free: so one alone
/// has half, and whoever stalls on all that it can get leaves as much to the others (A. Choudhury and E. Hahne,
/// "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on Networking, 1998).
final class ByteBudget: Sendable {
    private struct Locked {
        var limit: Int
        var portion: Int
        var used = 0
        /// Of those that have any.
        var ofTenants: [String: Int] = [:]
    }

    private let locked: Mutex<Locked>

    /// - Parameter portion: what one request may take, in bytes.
    init(limit: Int, portion: Int) {
        locked = Mutex(Locked(limit: limit, portion: portion))
    }

    func setLimit(_ limit: Int, portion: Int) {
        locked.withLock { ($0.limit, $0.portion) = (limit, portion) }
    }

    var inUse: Int { locked.withLock { $0.used } }

    /// - Parameter tenant: whose bytes they are; nil where nobody was asked, and then all that is free may be had.
    /// - Returns: whether there was room. If not, nothing was taken.
    func acquire(_ bytes: Int, of tenant: String?) -> Bool {
        locked.withLock { locked in
            let free = locked.limit - locked.used - bytes
            guard free >= 0 else { return false }
            if let tenant {
                let held = locked.ofTenants[tenant, default: 0] + bytes
                guard held <= max(locked.portion, free) else { return false }
                locked.ofTenants[tenant] = held
            }
            locked.used += bytes
            return true
        }
    }

    func release(_ bytes: Int, of tenant: String?) {
        guard bytes > 0 else { return }
        locked.withLock { locked in
            locked.used -= bytes
            guard let tenant, let held = locked.ofTenants[tenant] else { return }
            locked.ofTenants[tenant] = held > bytes ? held - bytes : nil
        }
    }
}

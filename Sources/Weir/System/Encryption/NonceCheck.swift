import Synchronization

/// In debug builds, finds a nonce that is used twice with one key: with it, AES-GCM gives away both messages.
enum NonceCheck {
    #if DEBUG
        private static let limit = 1 << 20
        private static let seen = Mutex(Set<[UInt8]>())
    #endif

    @inline(__always)
    static func note(_ key: UInt64, _ nonce: UnsafePointer<UInt8>, _ count: Int) {
        #if DEBUG
            let entry = withUnsafeBytes(of: key) { Array($0) } + UnsafeBufferPointer(start: nonce, count: count)
            let isNew = seen.withLock { seen in
                if seen.count == limit { seen.removeAll() }
                return seen.insert(entry).inserted
            }
            precondition(isNew, "a nonce was used twice with one key")
        #endif
    }
}

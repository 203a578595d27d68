import CLibraries

/// Nonces that were never used before, drawn many at a time: a draw of its own for each would cost more than the
/// encryption.
struct NoncePool: ~Copyable {
    /// A multiple of the size of a nonce of AES-256-GCM.
    private static let size = 4080
    /// Nonces of XAES-256-GCM that have their first half in common, and with it the message key, which so is made once
    /// for all of them. The whole of the first is random, and the others count on from it: two series meet with a
    /// probability of 2^-179, more seldom than two times as many random nonces do (2^-168), and one message key takes
    /// far fewer messages than SP 800-38D allows (2^32).
    private static let series = 1 << 12

    private let room = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    private var used = size
    private let current = UnsafeMutableRawPointer.allocate(byteCount: CipherSuite.xaes256gcm.nonceSize, alignment: 8)
    private var left = 0

    deinit {
        room.deallocate()
        current.deallocate()
    }

    /// - Returns: `suite.nonceSize` bytes that were never returned before, which hold until the next call; nil where
    ///   OpenSSL has no randomness.
    @inline(__always)
    mutating func next(_ suite: CipherSuite) -> UnsafePointer<UInt8>? {
        switch suite {
        case .aes256gcm: random(suite.nonceSize)
        case .xaes256gcm: ofSeries(suite.nonceSize)
        }
    }

    @inline(__always)
    private mutating func random(_ count: Int) -> UnsafePointer<UInt8>? {
        if used + count > Self.size {
            guard RAND_bytes(room, Int32(Self.size)) == 1 else { return nil }
            used = 0
        }
        defer { used += count }
        return UnsafePointer(room + used)
    }

    @inline(__always)
    private mutating func ofSeries(_ count: Int) -> UnsafePointer<UInt8>? {
        let nonce = current.assumingMemoryBound(to: UInt8.self)
        if left > 0 {
            let number = current.load(fromByteOffset: count - 8, as: UInt64.self)
            current.storeBytes(of: number &+ 1, toByteOffset: count - 8, as: UInt64.self)
        } else {
            guard RAND_bytes(nonce, Int32(count)) == 1 else { return nil }
            left = Self.series
        }
        left -= 1
        return UnsafePointer(nonce)
    }
}

import CLibraries

/// Random nonces, drawn many at a time: a draw of its own for each would cost more than the encryption.
struct NoncePool: ~Copyable {
    /// A multiple of both sizes of a nonce.
    private static let size = 4080

    private let room = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    private var used = size

    deinit {
        room.deallocate()
    }

    /// - Returns: `count` bytes that were never returned before, which hold until the next call; nil where OpenSSL has
    ///   no randomness.
    @inline(__always)
    mutating func next(_ count: Int) -> UnsafePointer<UInt8>? {
        if used + count > Self.size {
            guard RAND_bytes(room, Int32(Self.size)) == 1 else { return nil }
            used = 0
        }
        defer { used += count }
        return UnsafePointer(room + used)
    }
}

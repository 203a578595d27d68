/// How values are encrypted: AES-256 in Galois/Counter Mode, in two ways to come to a nonce.
enum CipherSuite: UInt8, Sendable, CaseIterable {
    /// C2SP's XAES-256-GCM: a nonce of 192 bits, of which the first 96 make a key of their own for the message. So one
    /// data key takes 2^80 messages.
    case xaes256gcm = 1
    /// NIST SP 800-38D with a random nonce of 96 bits: one data key takes ``maxUses``.
    case aes256gcm = 2

    static let tagSize = 16
    /// SP 800-38D 8.3: "the total number of invocations of the authenticated encryption function shall not exceed
    /// 2^32". Half of it, so that what several lanes have not counted yet fits.
    static let maxUses = 1 << 31

    init?(name: String) {
        guard let suite = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = suite
    }

    var name: String {
        switch self {
        case .xaes256gcm: "xaes-256-gcm"
        case .aes256gcm: "aes-256-gcm"
        }
    }

    /// Bytes.
    var nonceSize: Int {
        switch self {
        case .xaes256gcm: 24
        case .aes256gcm: 12
        }
    }
}

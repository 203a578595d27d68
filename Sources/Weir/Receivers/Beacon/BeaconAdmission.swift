/// Which pages may send, and how much.
final class BeaconAdmission: Sendable {
    private let origins: [OriginPattern]
    private let ofOrigins: RateLimiter
    private let ofAddresses: RateLimiter

    init(_ configuration: BeaconConfiguration) {
        origins = configuration.origins
        ofOrigins = RateLimiter { [rate = configuration.rateLimits.origin] _ in [rate] }
        ofAddresses = RateLimiter { [rate = configuration.rateLimits.address] _ in [rate] }
    }

    /// - Parameter origin: empty where the client says none; browsers always do.
    func allows(_ origin: String) -> Bool {
        origins.contains { $0.matches(origin) }
    }

    /// Takes a request into account.
    /// - Returns: which limit it is over, and how long to wait; nil where it may come.
    func admit(origin: String, address: String, at now: Timestamp) -> (limit: String, pause: Duration)? {
        let address = address.clientNetwork
        if let over = ofAddresses.admit(address, at: now) { return ("address", over.pause) }
        if let over = ofOrigins.admit(origin, at: now) { return ("origin", over.pause) }
        ofAddresses.charge(address, [1], at: now)
        ofOrigins.charge(origin, [1], at: now)
        return nil
    }
}

/// The keys of the receiver `beacon`.
struct BeaconConfiguration: Configurable {
    /// Requests a second; zero is no limit.
    struct RateLimits: Sendable {
        let origin: Int
        let address: Int
    }

    let listener: ListenerConfiguration
    let origins: [OriginPattern]
    let attributes: AttributeAllowList
    /// Nil where every event is taken.
    let registry: EventRegistry?
    let violation: EventViolation.Outcome
    let rateLimits: RateLimits
    let quotas: QuotaConfiguration?
    /// What a client's clock may be wrong by without being corrected.
    let clockTolerance: Duration
    let limits: HTTPLimits
    /// What a client is told that comes when there is no room.
    let retryAfter: Duration

    var namedTenants: Set<String> { quotas?.namedTenants ?? [] }

    init(_ fields: inout Fields) throws(ConfigError) {
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 4319), "Where pages send what they have.")
        origins = fields.origins("allowed_origins")
        attributes = AttributeAllowList(
            fields.strings(
                "allowed_attributes", default: AttributeAllowList.usual, count: 0...1_000,
                "Attributes that events may have beside those of the registry; * is any run of letters."))
        registry = fields.file(
            "registry", default: nil, "The file of the events that there are; without, every event is taken.",
            EventRegistry.init)
        violation = fields.choice(
            "on_violation", default: .strip,
            "What becomes of an event that is not as the registry has it: refused, cleaned, or marked.")
        rateLimits = fields.section("rate_limits", "Requests a second; more is answered 429. 0 is no limit.") {
            fields in
            let limits = 0...1_000_000
            return RateLimits(
                origin: fields.int("origin", default: 1_000, in: limits, "From the pages of one origin."),
                address: fields.int("address", default: 20, in: limits, "From one address."))
        }
        quotas = fields.optionalSection(
            "quotas", "What tenants may send in a second; more is answered 429. Without, what they like.",
            QuotaConfiguration.init)
        clockTolerance = fields.duration(
            "clock_tolerance", default: .seconds(2), in: .milliseconds(100)...(.seconds(3600)),
            "Times of a client whose clock is wrong by more are corrected, where it says when it sent them.")
        limits = fields.httpLimits(body: .kibibytes(64), mostBody: .mebibytes(1))
        retryAfter = fields.duration(
            "retry_after", default: .seconds(1), in: .seconds(1)...(.seconds(3600)),
            "What Retry-After says when there is no room.")
    }
}

/// What each tenant may still send to a receiver.
final class Quotas: Sendable {
    private let limiter: RateLimiter
    private let context: Context

    init(_ configuration: QuotaConfiguration, _ context: Context) {
        limiter = RateLimiter { configuration.rates(of: $0) }
        self.context = context
    }

    /// Throws where the tenant has sent too much. Asked before its request is worked on.
    func admit(_ tenant: String, at now: Timestamp) throws(Refusal) {
        guard let over = limiter.admit(tenant, at: now) else { return }
        let key = QuotaConfiguration.keys[over.index]
        context.metrics.counter(
            "weir_quota_refused_requests", help: "Requests of tenants that had sent too much.",
            labels: ["receiver": context.id.description, "tenant": tenant, "quota": key]
        ).add()
        throw .overQuota("the tenant \(tenant) sends more than \(key), \(over.rate)", retryAfter: over.pause)
    }

    /// Notes what a request of the tenant took, once that is known.
    func charge(_ tenant: String, spans: Int, bytes: Int, at now: Timestamp) {
        limiter.charge(tenant, [1, spans, bytes], at: now)
    }
}

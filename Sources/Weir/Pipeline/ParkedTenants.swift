/// The tenants for whom a destination does not work, and when to try them again. Their records are set aside, so that
/// those of other tenants go on.
struct ParkedTenants {
    typealias Instant = ContinuousClock.Instant

    private struct Tenant {
        let reason: String
        /// Spans that are set aside.
        var spans = 0
        /// Writes that are under way.
        var writes = 0
        var isDraining = false
        /// More was set aside since the drain began.
        var hasNews = false
        var due: Instant
        var backoff: Backoff
    }

    private var tenants: [String: Tenant] = [:]
    private let backoff: Backoff

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    /// All that is set aside.
    var spans: Int { tenants.values.reduce(0) { $0 + $1.spans } }

    /// The first of these records whose tenant is parked.
    func find(in records: ArraySlice<JournalRecord>) -> (tenant: String, reason: String)? {
        guard !tenants.isEmpty else { return nil }
        for record in records {
            if let tenant = tenants[record.tenant] { return (record.tenant, tenant.reason) }
        }
        return nil
    }

    /// - Returns: whether the tenant was not parked before.
    mutating func add(_ name: String, _ reason: String, spans: Int = 0, due: Instant) -> Bool {
        guard tenants[name] == nil else { return false }
        tenants[name] = Tenant(reason: reason, spans: spans, due: due, backoff: backoff)
        return true
    }

    mutating func beginWrite(_ name: String) {
        tenants[name]?.writes += 1
    }

    /// - Parameter spans: nil where the write failed.
    mutating func endWrite(_ name: String, spans: Int?) {
        guard var tenant = tenants[name] else { return }
        tenant.writes -= 1
        tenant.spans += spans ?? 0
        tenant.hasNews = tenant.hasNews || spans != nil
        // Without anything set aside, order does not keep the tenant from being tried at once.
        tenants[name] = spans == nil && tenant.spans == 0 && tenant.writes == 0 ? nil : tenant
    }

    /// When the next tenant is to be tried; nil if none is.
    var nextDue: Instant? { waiting.map(\.value.due).min() }

    /// A tenant that is to be tried now. Until ``endDrain`` no other answer names it.
    mutating func beginDrain(at now: Instant) -> String? {
        let due = waiting.filter { $0.value.due <= now }
        guard let name = due.min(by: { ($0.value.due, $0.key) < ($1.value.due, $1.key) })?.key else { return nil }
        tenants[name]?.isDraining = true
        tenants[name]?.hasNews = false
        return name
    }

    private var waiting: [String: Tenant] { tenants.filter { !$0.value.isDraining } }

    /// - Parameters:
    ///   - spans: those that are not set aside any more.
    ///   - works: whether the destination took all that it was given.
    ///   - chance: in 0...1.
    mutating func endDrain(_ name: String, spans: Int, works: Bool, at now: Instant, chance: Double) {
        guard var tenant = tenants[name] else { return }
        tenant.isDraining = false
        tenant.spans -= spans
        if works { tenant.backoff.reset() }
        tenant.due = works ? now : now + tenant.backoff.next(chance: chance)
        tenants[name] = tenant
    }

    /// Nothing was found that is set aside.
    /// - Returns: whether the tenant is not parked any more.
    mutating func endEmptyDrain(_ name: String, at now: Instant, chance: Double) -> Bool {
        guard let tenant = tenants[name], tenant.writes == 0, !tenant.hasNews else {
            endDrain(name, spans: 0, works: false, at: now, chance: chance)
            return false
        }
        tenants[name] = nil
        return true
    }
}

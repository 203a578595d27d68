/// Prices that spans have asked for, so that most of them need not be looked up.
struct PriceMemory {
    /// Names that are remembered; then all are forgotten.
    static let maximumNames = 4_096
    private static let maximumRecent = 8

    /// A price that was found, and what it is counted by.
    final class Found: Sendable {
        let match: PriceTable.Match
        let counters: CostTelemetry.Counters

        init(_ match: PriceTable.Match, _ counters: CostTelemetry.Counters) {
            (self.match, self.counters) = (match, counters)
        }
    }

    private struct Lookup: Hashable {
        let tenant: String
        let provider: AttributeKey
        let model: AttributeKey
        /// Since 1970: prices change with the day.
        let day: UInt64
    }

    /// What the last spans have asked for.
    private struct Recent {
        let tenant: String
        let provider: AttributeKey
        let response: AttributeKey
        let request: AttributeKey
        let day: UInt64
        let found: Found?
    }

    private let table: PriceTable
    private var remembered: [Lookup: Found?] = [:]
    private var recent: [Recent] = []

    init(_ table: PriceTable) {
        self.table = table
    }

    /// What answered goes first, since routers and aliases change it; an Azure deployment's own name is known to
    /// nobody, but what was asked for may be.
    mutating func price(
        of genAI: GenAIAttributes, _ batch: borrowing Batch, at time: Timestamp, _ telemetry: inout CostTelemetry
    ) -> Found? {
        let (provider, response) = (genAI.name(.provider, of: batch), genAI.name(.responseModel, of: batch))
        let request = genAI.name(.requestModel, of: batch)
        let (day, tenant) = (time.nanoseconds / Day.nanoseconds, batch.tenant)
        for index in recent.indices
        where recent[index].day == day && recent[index].response.equals(response)
            && recent[index].request.equals(request) && recent[index].provider.equals(provider)
            && recent[index].tenant == tenant
        {
            return recent[index].found
        }
        let who = AttributeKey(provider)
        let (answered, asked) = (AttributeKey(response), AttributeKey(request))
        let found =
            price(Lookup(tenant: tenant, provider: who, model: answered, day: day), time, &telemetry)
            ?? price(Lookup(tenant: tenant, provider: who, model: asked, day: day), time, &telemetry)
        if recent.count == Self.maximumRecent { recent.removeFirst() }
        recent.append(
            Recent(tenant: tenant, provider: who, response: answered, request: asked, day: day, found: found))
        return found
    }

    private mutating func price(_ lookup: Lookup, _ time: Timestamp, _ telemetry: inout CostTelemetry) -> Found? {
        guard lookup.model.count > 0 else { return nil }
        if let known = remembered[lookup] { return known }
        let name = ModelName(
            provider: lookup.provider.count == 0 ? nil : lookup.provider.text, model: lookup.model.text)
        let match = table.match(name, tenant: lookup.tenant, at: time)
        let found = match.map { Found($0, telemetry.counters(of: $0.price)) }
        if remembered.count >= Self.maximumNames { remembered = [:] }
        remembered[lookup] = .some(found)
        return found
    }
}

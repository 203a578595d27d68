/// Prices each call of a model, once, and writes what it costs onto its span. `docs/cost.md` has the rules.
struct CostProcessor: Processor {
    typealias Configuration = CostConfiguration

    static let type = "cost"
    static let help = "Prices calls of models, and notes on their spans what they cost."

    /// Names that were looked up and are remembered; then all are forgotten.
    static let maximumRemembered = 4_096

    private struct Lookup: Hashable {
        let tenant: String
        let provider: [UInt8]
        let model: [UInt8]
        /// Since 1970: prices change with the day.
        let day: UInt64
    }

    /// What the last spans asked for, so that most need not be looked up.
    private struct Recent {
        let tenant: String
        let provider: AttributeKey
        let response: AttributeKey
        let request: AttributeKey
        let day: UInt64
        let match: PriceTable.Match?
    }

    private static let maximumRecent = 8

    private static let status = AttributeKey("weir.cost.status")
    private static let total = AttributeKey("weir.cost.total")
    private static let aggregate = AttributeKey("weir.cost.aggregate")
    private static let price = AttributeKey("weir.cost.price")
    private static let basis = AttributeKey("weir.cost.cache_basis")
    private static let parts = UsageUnit.all.map { AttributeKey("weir.cost.\($0.rawValue)") }
    private static let prefix = Array("weir.cost.".utf8)

    private static let source = AttributeKey("weir.cost.source")
    /// Bytes of text that are taken for a token where nobody counted them.
    private static let bytesOfToken: Int64 = 4

    private let table: PriceTable
    private let mappings: [AttributeMapping]
    private let estimates: Bool
    private let alsoWrites: [OtherCostNames]
    private var telemetry: CostTelemetry
    private var genAI = GenAIAttributes()
    private var remembered: [Lookup: PriceTable.Match?] = [:]
    private var recent: [Recent] = []
    private var digits: [UInt8] = []

    init(_ configuration: CostConfiguration, _ context: Context) {
        table = configuration.table
        mappings = configuration.mappings
        estimates = configuration.estimates
        alsoWrites = configuration.alsoWrites.sorted { $0.rawValue < $1.rawValue }
        telemetry = CostTelemetry(context)
    }

    mutating func process(_ batch: inout Batch) {
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            for mapping in mappings { mapping.apply(to: index, of: &batch) }
            genAI.find(in: batch.spans[index].attributes, of: batch)
            let operation = genAI.operation(of: batch)
            guard operation != .other else { continue }
            removeForeign(index, &batch)
            if operation.isModelCall || genAI.has(.queries) {
                price(index, of: &batch)
            } else if genAI.has(.inputTokens) || genAI.has(.outputTokens) {
                priceAggregate(index, of: &batch)
            }
        }
    }

    /// What a sender says of our price is not our price.
    private func removeForeign(_ index: Int, _ batch: inout Batch) {
        for place in batch.spans[index].attributes.indices {
            let key = batch.bytes(batch.attributes[place].key)
            guard key.count > Self.prefix.count, key[0] == Self.prefix[0], key.starts(with: Self.prefix) else {
                continue
            }
            batch.remove(attributeAt: place, of: .span(index))
        }
    }

    private mutating func price(_ index: Int, of batch: inout Batch) {
        var outcome = outcome(index, of: batch)
        if estimates, case .unpriced(isUnknown: false) = outcome, let usage = estimate(of: batch) {
            outcome = self.outcome(of: usage, index, batch)
            set(Self.source, to: CostSource.estimate.rawValue, index, &batch)
        }
        switch outcome {
        case .inconsistent: note(.inconsistent, index, &batch)
        case .unpriced(let isUnknown):
            if isUnknown { telemetry.addUnpriced(genAI.modelName(of: batch)) }
            note(.unpriced, index, &batch)
        case .priced(let row, let usage, let cost):
            note(.priced, index, &batch)
            set(Self.total, to: cost.total, index, &batch)
            set(Self.price, to: row.price.id, index, &batch)
            for unit in UsageUnit.all where usage[unit] > 0 {
                set(Self.parts[unit.index], to: cost[unit], index, &batch)
            }
            for names in alsoWrites { names.write(cost, to: index, of: &batch) }
            telemetry.add(row.price, usage, cost)
            if usage[.cacheRead] + usage[.cacheWrite] + usage[.hourCacheWrite] > 0 {
                set(Self.basis, to: usage.basis.rawValue, index, &batch)
            }
        }
    }

    /// What it would cost, should no call be stored below it. Not where it lasts past midnight: the tables have its day
    /// without the next, on which its calls may be.
    private mutating func priceAggregate(_ index: Int, of batch: inout Batch) {
        note(.aggregate, index, &batch)
        let (start, end) = (batch.spans[index].startTime, batch.spans[index].endTime)
        guard start / Day.nanoseconds == end / Day.nanoseconds,
            case .priced(let row, _, let cost) = outcome(index, of: batch)
        else { return }
        set(Self.aggregate, to: cost.total, index, &batch)
        set(Self.price, to: row.price.id, index, &batch)
    }

    private enum Outcome {
        case priced(PriceTable.Row, Usage, Cost)
        /// - Parameter isUnknown: no list has the model, though it is known what was used.
        case unpriced(isUnknown: Bool)
        case inconsistent
    }

    private mutating func outcome(_ index: Int, of batch: borrowing Batch) -> Outcome {
        let counts = genAI.counts(of: batch)
        guard !counts.isEmpty else { return .unpriced(isUnknown: false) }
        guard let usage = Usage(counts, default: genAI.defaultBasis(of: batch)) else { return .inconsistent }
        return outcome(of: usage, index, batch)
    }

    /// Nil where there is no content to go by.
    private func estimate(of batch: borrowing Batch) -> Usage? {
        func tokens(_ attributes: GenAIAttribute...) -> Int64 {
            let bytes = attributes.reduce(Int64(0)) { $0 + Int64(genAI.text($1, of: batch)?.count ?? 0) }
            return (bytes + Self.bytesOfToken - 1) / Self.bytesOfToken
        }
        var counts = Usage.Counts()
        counts.input = genAI.has(.inputMessages) ? tokens(.inputMessages, .systemInstructions) : tokens(.input)
        counts.output = genAI.has(.outputMessages) ? tokens(.outputMessages) : tokens(.output)
        guard counts.input ?? 0 > 0 || counts.output ?? 0 > 0 else { return nil }
        return Usage(counts, default: .inclusive)
    }

    private mutating func outcome(of usage: Usage, _ index: Int, _ batch: borrowing Batch) -> Outcome {
        let time = Timestamp(nanoseconds: batch.spans[index].startTime)
        guard let match = match(at: time, of: batch),
            let cost = match.row.price.cost(of: usage, tier: serviceTier(of: batch), region: match.region, at: time)
        else { return .unpriced(isUnknown: true) }
        return .priced(match.row, usage, cost)
    }

    private func note(_ status: CostStatus, _ index: Int, _ batch: inout Batch) {
        telemetry.add(status)
        set(Self.status, to: status.rawValue, index, &batch)
    }

    /// What the sender had of these was removed.
    private func set(_ key: AttributeKey, to text: String, _ index: Int, _ batch: inout Batch) {
        batch.add(key, batch.store(.string(text)), to: .span(index))
    }

    private mutating func set(_ key: AttributeKey, to pico: Int64, _ index: Int, _ batch: inout Batch) {
        Cost.write(pico, to: &digits)
        let text = digits.withUnsafeBytes { batch.intern($0) }
        batch.add(key, StoredValue(kind: .string, bits: text.packed), to: .span(index))
    }
}

// MARK: - What the span says

extension CostProcessor {
    private func serviceTier(of batch: borrowing Batch) -> String? {
        guard genAI.has(.serviceTier) else { return nil }
        return String(decoding: genAI.bytes(.serviceTier, of: batch), as: UTF8.self).lowercased()
    }

    /// What answered goes first, since routers and aliases change it; an Azure deployment's own name is known to
    /// nobody, but what was asked for may be.
    private mutating func match(at time: Timestamp, of batch: borrowing Batch) -> PriceTable.Match? {
        let (provider, response) = (genAI.name(.provider, of: batch), genAI.name(.responseModel, of: batch))
        let request = genAI.name(.requestModel, of: batch)
        let (day, tenant) = (time.nanoseconds / Day.nanoseconds, batch.tenant)
        for index in recent.indices
        where recent[index].day == day && recent[index].provider.equals(provider)
            && recent[index].response.equals(response) && recent[index].request.equals(request)
            && recent[index].tenant == tenant
        {
            return recent[index].match
        }
        let found =
            match(genAI.bytes(.provider, of: batch), genAI.bytes(.responseModel, of: batch), time, tenant)
            ?? match(genAI.bytes(.provider, of: batch), genAI.bytes(.requestModel, of: batch), time, tenant)
        if recent.count == Self.maximumRecent { recent.removeFirst() }
        recent.append(
            Recent(
                tenant: tenant, provider: AttributeKey(provider), response: AttributeKey(response),
                request: AttributeKey(request), day: day, match: found))
        return found
    }

    private mutating func match(
        _ provider: [UInt8], _ model: [UInt8], _ time: Timestamp, _ tenant: String
    ) -> PriceTable.Match? {
        guard !model.isEmpty else { return nil }
        let lookup = Lookup(
            tenant: tenant, provider: provider, model: model, day: time.nanoseconds / 86_400_000_000_000)
        if let known = remembered[lookup] { return known }
        let name = ModelName(
            provider: provider.isEmpty ? nil : String(decoding: provider, as: UTF8.self),
            model: String(decoding: model, as: UTF8.self))
        let match = table.match(name, tenant: tenant, at: time)
        if remembered.count >= Self.maximumRemembered { remembered = [:] }
        remembered[lookup] = .some(match)
        return match
    }
}

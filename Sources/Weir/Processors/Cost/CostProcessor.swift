/// Prices each call of a model, once, and writes what it costs onto its span. `docs/cost.md` has the rules.
struct CostProcessor: Processor {
    typealias Configuration = CostConfiguration

    static let type = "cost"
    static let help = "Prices calls of models, and notes on their spans what they cost."

    private static let agent = AttributeKey("gen_ai.agent.name")
    /// Bytes of text that are taken for a token where nobody counted them.
    private static let bytesOfToken: Int64 = 4

    private let mappings: [AttributeMapping]
    private let estimates: Bool
    private let alsoWrites: [OtherCostNames]
    private var telemetry: CostTelemetry
    private var prices: PriceMemory
    private var attributes = CostAttributes()
    private var genAI = GenAIAttributes()
    /// What calls before this one had, and what sums them up, by the number of their attributes.
    private var kinds = [GenAIAttributes](repeating: GenAIAttributes(), count: 8)

    init(_ configuration: CostConfiguration, _ context: Context) {
        mappings = configuration.mappings
        estimates = configuration.estimates
        alsoWrites = configuration.alsoWrites.sorted { $0.rawValue < $1.rawValue }
        telemetry = CostTelemetry(context)
        prices = PriceMemory(configuration.table)
    }

    mutating func process(_ batch: inout Batch) {
        attributes.begin()
        genAI.forget()
        for kind in kinds.indices { kinds[kind].forget() }
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            for mapping in mappings { mapping.apply(to: index, of: &batch) }
            let attributes = batch.spans[index].attributes
            let kind = Int(attributes.count) % kinds.count
            if kinds[kind].findAgain(in: attributes, of: batch) {
                swap(&genAI, &kinds[kind])
            } else {
                genAI.find(in: attributes, of: batch)
            }
            if genAI.hasOwnCosts { removeForeign(index, &batch) }
            let operation = genAI.operation(of: batch)
            guard operation != .other else { continue }
            defer { swap(&genAI, &kinds[kind]) }
            if SpelledOutUsage.add(to: index, genAI, of: &batch) || nameAgent(index, operation, &batch) {
                genAI.find(in: batch.spans[index].attributes, of: batch)
            }
            if operation.isModelCall || genAI.has(.queries) {
                price(index, of: &batch)
            } else if genAI.has(.inputTokens) || genAI.has(.outputTokens) {
                priceAggregate(index, of: &batch)
            }
        }
    }

    /// What a sender says of our price is not our price.
    private mutating func removeForeign(_ index: Int, _ batch: inout Batch) {
        for place in batch.spans[index].attributes.indices {
            guard GenAIAttributes.isOwnCost(batch.bytes(batch.attributes[place].key)) else { continue }
            batch.remove(attributeAt: place, of: .span(index))
        }
        genAI.find(in: batch.spans[index].attributes, of: batch)
    }

    /// Traceloop has one key for the names of agents, tasks and tools.
    private func nameAgent(_ index: Int, _ operation: OperationKind, _ batch: inout Batch) -> Bool {
        guard operation == .agent, !genAI.has(.agent), genAI.rank(of: .title) == 1,
            let place = genAI.index(of: .title)
        else { return false }
        batch.set(Self.agent, to: batch.storedValue(at: place), of: .span(index))
        return true
    }

    private mutating func price(_ index: Int, of batch: inout Batch) {
        var (usage, cost) = (Usage(), Cost())
        var outcome = outcome(index, of: batch, &usage, &cost)
        // What the sender says that it costs is nearer than an estimate, and the tables go by it.
        if estimates, case .unsaid = outcome, genAI.saidCost(of: batch) == nil, let estimate = estimate(of: batch) {
            usage = estimate
            outcome = price(&usage, index, batch, &cost)
            attributes.set(.source, to: CostSource.estimate.rawValue, index, &batch)
        }
        switch outcome {
        case .inconsistent: note(.inconsistent, index, &batch)
        case .unsaid: note(.unpriced, index, &batch)
        case .unknown:
            note(.unpriced, index, &batch)
            telemetry.addUnpriced(genAI.modelName(of: batch))
            noteBasis(of: usage, index, &batch)
        case .priced(let found):
            note(.priced, index, &batch)
            attributes.set(.total, to: cost.total, index, &batch)
            attributes.set(price: found.match.price.id, index, &batch)
            for (unit, _) in usage.units { attributes.set(unit, to: cost[unit], index, &batch) }
            for names in alsoWrites { names.write(cost, to: index, of: &batch) }
            found.counters.add(usage, cost)
            noteBasis(of: usage, index, &batch)
            if cost.hasFallback { attributes.set(.fallback, to: cost.fallback, index, &batch) }
        }
    }

    /// How the counts were read, for those who read them again.
    private mutating func noteBasis(of usage: Usage, _ index: Int, _ batch: inout Batch) {
        if usage.cachedTokens > 0 { attributes.set(.basis, to: usage.basis.rawValue, index, &batch) }
    }

    /// What it would cost, should no call be stored below it. Not where it lasts past two midnights: the tables are
    /// asked for its calls on its day and on the next.
    private mutating func priceAggregate(_ index: Int, of batch: inout Batch) {
        note(.aggregate, index, &batch)
        let (start, end) = (batch.spans[index].startTime, batch.spans[index].endTime)
        var (usage, cost) = (Usage(), Cost())
        guard end < start || end / Day.nanoseconds <= start / Day.nanoseconds + 1,
            case .priced(let found) = outcome(index, of: batch, &usage, &cost)
        else { return }
        attributes.set(.aggregate, to: cost.total, index, &batch)
        attributes.set(price: found.match.price.id, index, &batch)
    }

    private enum Outcome {
        case priced(PriceMemory.Found)
        /// No list has a price for it.
        case unknown
        /// The span does not say what was used, or says that nothing was.
        case unsaid
        case inconsistent
    }

    private mutating func outcome(
        _ index: Int, of batch: borrowing Batch, _ usage: inout Usage, _ cost: inout Cost
    ) -> Outcome {
        let counts = genAI.counts(of: batch)
        guard !counts.isEmpty else { return .unsaid }
        let known = genAI.knownBasis(of: batch.spans[index], in: batch)
        guard usage.resolve(counts, known: known, default: genAI.defaultBasis(of: batch)) else {
            return .inconsistent
        }
        // Streams say 0 of what nobody has counted.
        guard !usage.isEmpty else { return .unsaid }
        return price(&usage, index, batch, &cost)
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

    private mutating func price(
        _ usage: inout Usage, _ index: Int, _ batch: borrowing Batch, _ cost: inout Cost
    ) -> Outcome {
        let time = Timestamp(nanoseconds: batch.spans[index].startTime)
        guard let found = prices.price(of: genAI, batch, at: time, &telemetry) else { return .unknown }
        let (tier, region) = (serviceTier(of: batch), found.match.region)
        switch found.match.price.add(usage, to: &cost, tier: tier, region: region, at: time) {
        case .priced: return .priced(found)
        case .unknown: return .unknown
        case .absurd: return .inconsistent
        }
    }

    private func serviceTier(of batch: borrowing Batch) -> String? {
        guard genAI.has(.serviceTier) else { return nil }
        return String(decoding: genAI.name(.serviceTier, of: batch), as: UTF8.self).lowercased()
    }

    private mutating func note(_ status: CostStatus, _ index: Int, _ batch: inout Batch) {
        telemetry.add(status)
        attributes.set(status, index, &batch)
    }
}

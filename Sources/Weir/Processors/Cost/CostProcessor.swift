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

    private static let status = AttributeKey("weir.cost.status")
    private static let total = AttributeKey("weir.cost.total")
    private static let price = AttributeKey("weir.cost.price")
    private static let basis = AttributeKey("weir.cost.cache_basis")
    private static let parts = UsageUnit.allCases.map { AttributeKey("weir.cost.\($0.rawValue)") }
    private static let prefix = Array("weir.cost.".utf8)

    /// Spellings whose senders pass on what the provider's API said, in its own way of counting.
    private static let rawReads = ranks(
        .cacheReadTokens, "gen_ai.usage.cache_read_input_tokens", "ai.usage.cachedInputTokens")
    private static let rawWrites = ranks(.cacheWriteTokens, "gen_ai.usage.cache_creation_input_tokens")

    private static func ranks(_ attribute: GenAIAttribute, _ keys: String...) -> Set<Int> {
        Set(keys.compactMap { attribute.keys.firstIndex(of: $0) })
    }

    private let table: PriceTable
    private var telemetry: CostTelemetry
    private var genAI = GenAIAttributes()
    private var remembered: [Lookup: PriceTable.Match?] = [:]

    init(_ configuration: CostConfiguration, _ context: Context) {
        table = configuration.table
        telemetry = CostTelemetry(context)
    }

    mutating func process(_ batch: inout Batch) {
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            genAI.find(in: batch.spans[index].attributes, of: batch)
            let operation = genAI.operation(of: batch)
            guard operation != .other else { continue }
            removeForeign(index, &batch)
            if operation.isModelCall || genAI.has(.queries) {
                price(index, of: &batch)
            } else if genAI.has(.inputTokens) || genAI.has(.outputTokens) {
                note(.aggregate, index, &batch)
            }
        }
    }

    /// What a sender says of our price is not our price.
    private func removeForeign(_ index: Int, _ batch: inout Batch) {
        for place in batch.spans[index].attributes.indices {
            let key = batch.bytes(batch.attributes[place].key)
            if key.count > Self.prefix.count, key.starts(with: Self.prefix) {
                batch.remove(attributeAt: place, of: .span(index))
            }
        }
    }

    private mutating func price(_ index: Int, of batch: inout Batch) {
        let counts = counts(of: batch)
        guard counts.all.contains(where: { $0 != nil }) else { return note(.unpriced, index, &batch) }
        guard let usage = Usage(counts, default: defaultBasis(of: batch)) else {
            return note(.inconsistent, index, &batch)
        }
        let time = Timestamp(nanoseconds: batch.spans[index].startTime)
        guard let match = match(at: time, of: batch),
            let cost = match.price.cost(of: usage, tier: serviceTier(of: batch), region: match.region, at: time)
        else {
            telemetry.addUnpriced(modelName(of: batch))
            return note(.unpriced, index, &batch)
        }
        note(.priced, index, &batch)
        set(Self.total, to: Cost.text(cost.total), index, &batch)
        set(Self.price, to: match.price.id, index, &batch)
        for unit in UsageUnit.allCases where usage[unit] > 0 {
            set(Self.parts[unit.index], to: Cost.text(cost[unit]), index, &batch)
        }
        if usage[.cacheRead] + usage[.cacheWrite] + usage[.hourCacheWrite] > 0 {
            set(Self.basis, to: usage.basis.rawValue, index, &batch)
        }
    }

    private func note(_ status: CostStatus, _ index: Int, _ batch: inout Batch) {
        telemetry.add(status)
        set(Self.status, to: status.rawValue, index, &batch)
    }

    private func set(_ key: AttributeKey, to text: String, _ index: Int, _ batch: inout Batch) {
        batch.set(key, to: batch.store(.string(text)), of: .span(index))
    }
}

// MARK: - What the span says

extension CostProcessor {
    private func counts(of batch: borrowing Batch) -> Usage.Counts {
        Usage.Counts(
            input: count(.inputTokens, of: batch), output: count(.outputTokens, of: batch),
            total: count(.totalTokens, of: batch), cacheRead: count(.cacheReadTokens, of: batch),
            cacheWrite: count(.cacheWriteTokens, of: batch), hourCacheWrite: count(.hourCacheWriteTokens, of: batch),
            reasoning: count(.reasoningTokens, of: batch), inputAudio: count(.inputAudioTokens, of: batch),
            outputAudio: count(.outputAudioTokens, of: batch), inputImage: count(.inputImageTokens, of: batch),
            outputImage: count(.outputImageTokens, of: batch), characters: count(.characters, of: batch),
            seconds: count(.seconds, of: batch), queries: count(.queries, of: batch))
    }

    /// Nil where the span does not say it; negative where what it says is no count.
    private func count(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        genAI.has(attribute) ? genAI.tokens(attribute, of: batch) ?? -1 : nil
    }

    private func bytes(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> [UInt8] {
        guard case .string(let text)? = genAI.value(attribute, of: batch), text.count <= 256 else { return [] }
        return Array(text)
    }

    /// Anthropic counts what its cache was asked for beside the input, and so do those who serve its models.
    private func defaultBasis(of batch: borrowing Batch) -> Usage.CacheBasis {
        let isRaw =
            genAI.rank(of: .cacheReadTokens).map(Self.rawReads.contains) ?? false
            || genAI.rank(of: .cacheWriteTokens).map(Self.rawWrites.contains) ?? false
        guard isRaw else { return .inclusive }
        let name = modelName(of: batch).lowercased()
        return name.contains("claude") ? .exclusive : .inclusive
    }

    /// What answered; else what was asked for.
    private func modelName(of batch: borrowing Batch) -> String {
        let response = bytes(.responseModel, of: batch)
        return String(decoding: response.isEmpty ? bytes(.requestModel, of: batch) : response, as: UTF8.self)
    }

    private func serviceTier(of batch: borrowing Batch) -> String? {
        guard genAI.has(.serviceTier) else { return nil }
        return String(decoding: bytes(.serviceTier, of: batch), as: UTF8.self).lowercased()
    }

    /// What answered goes first, since routers and aliases change it; an Azure deployment's own name is known to
    /// nobody, but what was asked for may be.
    private mutating func match(at time: Timestamp, of batch: borrowing Batch) -> PriceTable.Match? {
        let provider = bytes(.provider, of: batch)
        return match(provider, bytes(.responseModel, of: batch), time, batch.tenant)
            ?? match(provider, bytes(.requestModel, of: batch), time, batch.tenant)
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

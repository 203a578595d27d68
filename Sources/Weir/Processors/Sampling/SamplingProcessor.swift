/// Keeps of each kind of span the part that its rule says. `docs/sampling.md` has the rules.
struct SamplingProcessor: Processor {
    typealias Configuration = SamplingConfiguration

    static let type = "sampling"
    static let help = "Keeps a part of the traces or sessions, by rules; what it leaves out still counts."

    /// On spans that were kept because of a burst: when that began.
    static let burstKey = AttributeKey("weir.sampling.burst")

    private let rules: [SamplingRule]
    private let conditions: ConditionList
    private let names: [AttributeKey]
    /// Of the rules without a key.
    private let thresholds: [SamplingThreshold?]
    private let hashSeed: UInt32
    private let bursts: Bursts
    private let id: ComponentID
    private var telemetry: SamplingTelemetry
    private let matches: MatchTelemetry
    private var notes = SamplingNotes()
    /// Of the present batch, from the first use on: the names of the rules for spans that are kept and that are not,
    /// and the key of the former.
    private var kept: [StoredValue?]
    private var out: [UInt8?]
    private var keptKey: ByteRef?
    /// Of keys that only spans have that were sampled before.
    private let ruleKey: KeySet.Bits
    private let weightKey: KeySet.Bits

    init(_ configuration: SamplingConfiguration, _ context: Context) {
        rules = configuration.rules
        var keys = KeySet()
        ruleKey = keys.insert(Batch.samplingRule)
        weightKey = keys.insert(Batch.adjustedCount)
        conditions = ConditionList(configuration.rules.map(\.condition), besides: keys)
        thresholds = configuration.rules.map { $0.key == nil ? $0.threshold : nil }
        names = configuration.rules.map { AttributeKey($0.name) }
        hashSeed = configuration.hashSeed
        bursts = context.bursts
        id = context.id
        bursts.register(context.id, rules: configuration.rules.map(\.name))
        telemetry = SamplingTelemetry(configuration.rules, context)
        matches = MatchTelemetry(context)
        kept = Array(repeating: nil, count: rules.count)
        out = Array(repeating: nil, count: rules.count)
    }

    mutating func process(_ batch: inout Batch) {
        notes.begin()
        keptKey = nil
        for rule in rules.indices {
            kept[rule] = nil
            out[rule] = nil
        }
        var burst = bursts.lease(of: id, bytes: batch.arena.pointee.payload.count, at: batch.receivedAt)
        let keys = conditions.keys
        for scope in batch.scopes.indices {
            let entry = conditions.entry(forScope: scope, of: batch)
            for index in batch.scopes[scope].spans where !batch.spans[index].isDropped {
                let present = batch.mayHave(keys, in: batch.spans[index].attributes)
                guard let rule = conditions.first(matching: batch.spans[index], present, from: entry, in: batch) else {
                    telemetry.addUnmatched()
                    continue
                }
                if burst == nil, batch.spans[index].traceState.count == 0, present & weightKey == 0,
                    let threshold = thresholds[rule]
                {
                    sample(index, rule, threshold, &batch)
                } else {
                    sample(index, rule, &burst, in: &batch)
                }
                if !batch.spans[index].isDropped { name(rule, index, present, &batch) }
            }
        }
        if let burst { bursts.end(burst) }
        telemetry.flush()
        matches.take(from: batch)
    }

    /// A span that no sampler has seen before, by its trace id, as nearly all are: what ``sample(_:_:_:in:)`` does
    /// with it.
    private mutating func sample(_ index: Int, _ rule: Int, _ threshold: SamplingThreshold, _ batch: inout Batch) {
        guard threshold.keeps(SamplingRandomness(batch.spans[index].traceIDLow)) else {
            batch.sampleOut(span: index, by: outName(rule, &batch))
            return telemetry.add(rule, .sampledOut)
        }
        telemetry.add(rule, .kept)
        notes.noteFirst(threshold, on: index, in: &batch)
    }

    /// Says on a kept span which rule kept it.
    private mutating func name(_ rule: Int, _ index: Int, _ present: KeySet.Bits, _ batch: inout Batch) {
        let name = keptName(rule, &batch)
        guard present & ruleKey == 0 else {
            return batch.set(Batch.samplingRule, to: name, of: .span(index))
        }
        let key = keptKey ?? batch.intern(Batch.samplingRule)
        keptKey = key
        batch.add(key, name, to: .span(index))
    }

    private mutating func sample(_ index: Int, _ number: Int, _ burst: inout Burst.Lease?, in batch: inout Batch) {
        let rule = rules[number]
        let span = batch.spans[index]
        let state = TraceState(batch.bytes(span.traceState))
        var ownRandomness: SamplingRandomness?
        if let key = rule.key { ownRandomness = randomness(of: span, by: key, in: batch) }
        let randomness = ownRandomness ?? state?.randomness ?? SamplingRandomness(of: span)
        // What cannot be read, or cannot be, says nothing of what was decided before.
        let isSound = state.map { $0.threshold?.keeps($0.randomness ?? SamplingRandomness(of: span)) ?? true } ?? false
        if !isSound { telemetry.addInconsistent() }
        var threshold = rule.threshold
        if !threshold.keeps(randomness) {
            guard burst?.take(size(of: span, in: batch), for: rule.name) ?? false else {
                batch.sampleOut(span: index, by: outName(number, &batch))
                return telemetry.add(number, .sampledOut)
            }
        }
        if let burst, burst.isFor(rule.name) {
            // All are kept, so none of them stands for another.
            threshold = .always
            batch.set(Self.burstKey, to: batch.store(.string(burst.id)), of: .span(index))
            telemetry.add(number, .burst)
        } else {
            telemetry.add(number, .kept)
        }
        note(threshold, isIndependent: ownRandomness != nil, isSound: isSound, on: index, state, &batch)
    }

    private mutating func note(
        _ threshold: SamplingThreshold, isIndependent: Bool, isSound: Bool, on index: Int, _ state: TraceState?,
        _ batch: inout Batch
    ) {
        if isIndependent {
            notes.noteIndependent(threshold, on: index, state, in: &batch)
        } else if isSound || state == nil {
            notes.note(threshold.equalized(with: state?.threshold), on: index, state, in: &batch)
        } else if let state {
            notes.erase(on: index, state, in: &batch)
        }
    }

    /// Nil where the span does not say by what it belongs together with others.
    private func randomness(
        of span: SpanRecord, by key: AttributeKey, in batch: borrowing Batch
    ) -> SamplingRandomness? {
        let value =
            batch.value(of: key, in: span.attributes)
            ?? batch.resourceValue(of: key, for: span)
        switch value {
        case .string(let text)? where !text.isEmpty: return SamplingRandomness(hashing: text, seed: hashSeed)
        case .int(let number)?:
            return withUnsafeBytes(of: number.littleEndian) { SamplingRandomness(hashing: $0, seed: hashSeed) }
        default: return nil
        }
    }

    /// As it came in; where it came as JSON, its share of that.
    private func size(of span: SpanRecord, in batch: borrowing Batch) -> Int {
        span.wire.count > 0 ? Int(span.wire.count) : batch.arena.pointee.payload.count / batch.spans.count
    }

    private mutating func keptName(_ rule: Int, _ batch: inout Batch) -> StoredValue {
        let name = kept[rule] ?? StoredValue(kind: .string, bits: batch.intern(names[rule]).packed)
        kept[rule] = name
        return name
    }

    private mutating func outName(_ rule: Int, _ batch: inout Batch) -> UInt8 {
        let name = out[rule] ?? batch.addSamplingRule(names[rule])
        out[rule] = name
        return name
    }
}

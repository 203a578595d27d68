/// What one call used, in parts of which none holds another.
struct Usage: Sendable, Equatable {
    /// How the counts of a cache relate to the count of input tokens.
    enum CacheBasis: String, Sendable {
        /// They are among them, as OpenTelemetry wants it.
        case inclusive
        /// They stand beside them, as Anthropic's API has it.
        case exclusive
    }

    /// The counts as a span has them; nil is not said.
    struct Counts: Sendable {
        var input: Int64?
        var output: Int64?
        var total: Int64?
        var cacheRead: Int64?
        var cacheWrite: Int64?
        /// Those of `cacheWrite` that are kept for an hour.
        var hourCacheWrite: Int64?
        var reasoning: Int64?
        var inputAudio: Int64?
        var outputAudio: Int64?
        var inputImage: Int64?
        var outputImage: Int64?
        var characters: Int64?
        var seconds: Int64?
        var queries: Int64?

        /// No count is larger. More than any call uses, and far from what arithmetic cannot hold.
        static let maximum: Int64 = 1 << 36

        /// Whether anything is said.
        var isEmpty: Bool {
            input == nil && output == nil && total == nil && cacheRead == nil && cacheWrite == nil
                && hourCacheWrite == nil && reasoning == nil && inputAudio == nil && outputAudio == nil
                && inputImage == nil && outputImage == nil && characters == nil && seconds == nil && queries == nil
        }

        fileprivate var areSound: Bool {
            func isSound(_ count: Int64?) -> Bool { UInt64(bitPattern: count ?? 0) <= UInt64(Self.maximum) }
            return isSound(input) && isSound(output) && isSound(total) && isSound(cacheRead) && isSound(cacheWrite)
                && isSound(hourCacheWrite) && isSound(reasoning) && isSound(inputAudio) && isSound(outputAudio)
                && isSound(inputImage) && isSound(outputImage) && isSound(characters) && isSound(seconds)
                && isSound(queries)
        }
    }

    private(set) var parts: InlineArray<18, Int64> = InlineArray(repeating: 0)
    private(set) var basis = CacheBasis.inclusive
    /// All input tokens, cached ones among them: what the price of a long context goes by.
    private(set) var inputTokens: Int64 = 0

    subscript(unit: UsageUnit) -> Int64 {
        get { parts[unit.index] }
        set { parts[unit.index] = newValue }
    }

    static func == (left: Usage, right: Usage) -> Bool {
        left.basis == right.basis && UsageUnit.all.allSatisfy { left[$0] == right[$0] }
    }

    /// Nil where the counts contradict each other, or are absurd.
    /// - Parameter default: what holds where the counts do not tell.
    init?(_ counts: Counts, default basis: CacheBasis) {
        guard counts.areSound else { return nil }
        let (input, output) = (counts.input ?? 0, counts.output ?? 0)
        let (read, write) = (counts.cacheRead ?? 0, counts.cacheWrite ?? 0)
        self.basis = Self.basis(counts, default: basis)
        inputTokens = self.basis == .inclusive ? input : input + read + write
        let reasoning = counts.reasoning ?? 0
        // Gemini and xAI count it beside the output; their total says so.
        let isBeside = reasoning > 0 && counts.total == input + output + reasoning
        self[.cacheRead] = read
        self[.hourCacheWrite] = min(write, counts.hourCacheWrite ?? 0)
        self[.cacheWrite] = write - self[.hourCacheWrite]
        self[.inputAudio] = counts.inputAudio ?? 0
        self[.inputImage] = counts.inputImage ?? 0
        self[.input] = inputTokens - read - write - self[.inputAudio] - self[.inputImage]
        self[.reasoning] = reasoning
        self[.outputAudio] = counts.outputAudio ?? 0
        self[.outputImage] = counts.outputImage ?? 0
        self[.output] = output - (isBeside ? 0 : reasoning) - self[.outputAudio] - self[.outputImage]
        self[.inputCharacter] = counts.characters ?? 0
        self[.inputSecond] = counts.seconds ?? 0
        self[.query] = counts.queries ?? 0
        guard self[.input] >= 0, self[.output] >= 0, (counts.hourCacheWrite ?? 0) <= write else { return nil }
    }

    private static func basis(_ counts: Counts, default basis: CacheBasis) -> CacheBasis {
        let (input, output) = (counts.input ?? 0, counts.output ?? 0)
        let cached = (counts.cacheRead ?? 0) + (counts.cacheWrite ?? 0)
        guard cached > 0 else { return .inclusive }
        if let total = counts.total, output > 0 || counts.output != nil {
            if total == input + output { return .inclusive }
            if total == input + cached + output { return .exclusive }
        }
        return cached > input ? .exclusive : basis
    }
}

extension Usage {
    /// `input=1000 cache_read=500 output=120`, as the ledger has it; empty where nothing was used.
    var text: String {
        UsageUnit.all.filter { self[$0] > 0 }.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: " ")
    }

    /// Reads ``text``; nil where it is something else.
    init?(text: String) {
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let unit = UsageUnit(rawValue: String(parts[0])), let count = Int64(parts[1]),
                (0...Counts.maximum).contains(count)
            else { return nil }
            self[unit] = count
            if unit.isInputToken { inputTokens += count }
        }
    }
}

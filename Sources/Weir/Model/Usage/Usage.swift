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
        /// Those of `cacheRead` that are among `inputAudio`, and likewise.
        var cachedAudio: Int64?
        var cachedImage: Int64?
        var characters: Int64?
        var seconds: Int64?
        var queries: Int64?
        var outputCharacters: Int64?
        var outputSeconds: Int64?
        /// Among `input`, as audio and images are.
        var inputVideo: Int64?

        /// No count is larger. More than any call uses, and far from what arithmetic cannot hold.
        static let maximum: Int64 = 1 << 36

        /// Whether anything is said.
        var isEmpty: Bool {
            input == nil && output == nil && total == nil && cacheRead == nil && cacheWrite == nil
                && hourCacheWrite == nil && reasoning == nil && inputAudio == nil && outputAudio == nil
                && inputImage == nil && outputImage == nil && cachedAudio == nil && cachedImage == nil
                && characters == nil && seconds == nil && queries == nil && outputCharacters == nil
                && outputSeconds == nil && inputVideo == nil
        }

        fileprivate var areSound: Bool {
            func isSound(_ count: Int64?) -> Bool { UInt64(bitPattern: count ?? 0) <= UInt64(Self.maximum) }
            return isSound(input) && isSound(output) && isSound(total) && isSound(cacheRead) && isSound(cacheWrite)
                && isSound(hourCacheWrite) && isSound(reasoning) && isSound(inputAudio) && isSound(outputAudio)
                && isSound(inputImage) && isSound(outputImage) && isSound(cachedAudio) && isSound(cachedImage)
                && isSound(characters) && isSound(seconds) && isSound(queries) && isSound(outputCharacters)
                && isSound(outputSeconds) && isSound(inputVideo)
        }
    }

    private(set) var parts: InlineArray<18, Int64> = InlineArray(repeating: 0)
    private(set) var basis = CacheBasis.inclusive
    /// All input tokens, cached ones among them: what the price of a long context goes by.
    private(set) var inputTokens: Int64 = 0

    /// Those of them that came from a cache, or went to one.
    private(set) var cachedTokens: Int64 = 0
    /// All output tokens, reasoning among them.
    private(set) var outputTokens: Int64 = 0

    /// Units of which something was used, a bit each.
    private var used: UInt32 = 0

    private(set) subscript(unit: UsageUnit) -> Int64 {
        get { parts[unit.index] }
        set {
            parts[unit.index] = newValue
            if newValue != 0 { used |= 1 << UInt32(unit.index) } else { used &= ~(1 << UInt32(unit.index)) }
        }
    }

    /// Whether nothing was used.
    var isEmpty: Bool { used == 0 }

    /// Those of which something was used, in the order of ``UsageUnit/all``.
    var units: Units { Units(parts: parts, rest: used) }

    struct Units: Sequence, IteratorProtocol {
        fileprivate let parts: InlineArray<18, Int64>
        fileprivate var rest: UInt32

        mutating func next() -> (unit: UsageUnit, count: Int64)? {
            guard rest != 0 else { return nil }
            defer { rest &= rest - 1 }
            return (UsageUnit.all[rest.trailingZeroBitCount], parts[rest.trailingZeroBitCount])
        }
    }

    static func == (left: Usage, right: Usage) -> Bool {
        left.basis == right.basis && UsageUnit.all.allSatisfy { left[$0] == right[$0] }
    }

    /// Of nothing.
    init() {}

    /// Nil where the counts contradict each other, or are absurd.
    /// - Parameters:
    ///   - known: how the counts of a cache are to be read, where that is known whatever the counts say.
    ///   - default: what holds where the counts do not tell.
    init?(_ counts: Counts, known: CacheBasis? = nil, default basis: CacheBasis) {
        guard resolve(counts, known: known, default: basis) else { return nil }
    }

    /// The same, in place: this is of nothing before.
    /// - Returns: false where it is no usage.
    mutating func resolve(_ counts: Counts, known: CacheBasis?, default basis: CacheBasis) -> Bool {
        guard counts.areSound else { return false }
        let (input, output) = (counts.input ?? 0, counts.output ?? 0)
        let (read, write) = (counts.cacheRead ?? 0, counts.cacheWrite ?? 0)
        let (audio, image) = (counts.cachedAudio ?? 0, counts.cachedImage ?? 0)
        let hour = counts.hourCacheWrite ?? 0
        self.basis = read + write == 0 ? .inclusive : known ?? Self.basis(counts, default: basis)
        inputTokens = self.basis == .inclusive ? input : input + read + write
        let reasoning = counts.reasoning ?? 0
        // Gemini and xAI count it beside the output; their total says so.
        let isBeside = reasoning > 0 && counts.total == inputTokens + output + reasoning
        (cachedTokens, outputTokens) = (read + write, isBeside ? output + reasoning : output)
        self[.cacheRead] = read - audio - image
        self[.hourCacheWrite] = hour
        self[.cacheWrite] = write - hour
        self[.cacheReadAudio] = audio
        self[.cacheReadImage] = image
        self[.inputAudio] = (counts.inputAudio ?? 0) - audio
        self[.inputImage] = (counts.inputImage ?? 0) - image
        self[.inputVideo] = counts.inputVideo ?? 0
        self[.input] = inputTokens - read - write - self[.inputAudio] - self[.inputImage] - self[.inputVideo]
        self[.reasoning] = reasoning
        self[.outputAudio] = counts.outputAudio ?? 0
        self[.outputImage] = counts.outputImage ?? 0
        self[.output] = output - (isBeside ? 0 : reasoning) - self[.outputAudio] - self[.outputImage]
        self[.inputCharacter] = counts.characters ?? 0
        self[.outputCharacter] = counts.outputCharacters ?? 0
        self[.inputSecond] = counts.seconds ?? 0
        self[.outputSecond] = counts.outputSeconds ?? 0
        self[.query] = counts.queries ?? 0
        return units.allSatisfy { $0.count > 0 }
    }

    private static func basis(_ counts: Counts, default basis: CacheBasis) -> CacheBasis {
        let (input, output) = (counts.input ?? 0, counts.output ?? 0)
        let cached = (counts.cacheRead ?? 0) + (counts.cacheWrite ?? 0)
        if let total = counts.total, counts.output != nil {
            let reasoning = counts.reasoning ?? 0
            func fits(_ sum: Int64) -> Bool { total == sum || total == sum + reasoning }
            let (isInclusive, isExclusive) = (fits(input + output), fits(input + cached + output))
            if isInclusive != isExclusive { return isInclusive ? .inclusive : .exclusive }
        }
        return cached > input ? .exclusive : basis
    }
}

extension Usage {
    /// `input=1000 cache_read=500 output=120`, as the ledger has it; empty where nothing was used.
    var text: String {
        units.map { "\($0.unit.rawValue)=\($0.count)" }.joined(separator: " ")
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
        cachedTokens =
            self[.cacheRead] + self[.cacheReadAudio] + self[.cacheReadImage] + self[.cacheWrite]
            + self[.hourCacheWrite]
        outputTokens = self[.output] + self[.reasoning] + self[.outputAudio] + self[.outputImage]
    }
}

/// What a span says of its part in an LLM application, found in one pass over its attributes.
struct GenAIAttributes {
    /// Which attributes were found, a bit each.
    private var found: UInt128 = 0
    /// Of those that were found, which of the attributes it is, and which of ``GenAIAttribute/keys``.
    private var places = [(index: Int, rank: UInt8)](repeating: (0, 0), count: GenAIAttribute.allCases.count)
    /// Whether a key begins with `weir.cost.`.
    private(set) var hasOwnCosts = false
    /// Where it has looked.
    private var range = AttributeRange()
    /// Whether none of what is there was removed or empty.
    private var isWhole = false
    private let table = GenAIKeyTable.shared

    init() {}

    /// What an attribute with this key says; nil where it is no part of any vocabulary.
    static func attribute(of key: UnsafeRawBufferPointer) -> GenAIAttribute? {
        GenAIKeyTable.shared.entry(of: key)?.attribute
    }

    /// Looks at these attributes instead of those it looked at before.
    mutating func find(in range: AttributeRange, of batch: borrowing Batch) {
        (found, hasOwnCosts, self.range, isWhole) = (0, false, range, true)
        var rest = range.indices
        while !rest.isEmpty {
            // Most attributes are of no vocabulary; the few that may be are looked at once more.
            var candidates = table.candidates(in: rest.prefix(UInt64.bitWidth), of: batch, &isWhole)
            while candidates != 0 {
                note(rest.lowerBound + candidates.trailingZeroBitCount, batch)
                candidates &= candidates - 1
            }
            rest = rest.dropFirst(UInt64.bitWidth)
        }
    }

    /// The same where they have the keys of those it looked at before, of this batch: spans of one kind have the same
    /// keys in the same order, and then all is where it was.
    /// - Returns: false where they have others, and nothing has happened.
    mutating func findAgain(in range: AttributeRange, of batch: borrowing Batch) -> Bool {
        guard isWhole, batch.haveSameKeys(range, self.range) else { return false }
        self.range = range
        return true
    }

    /// Another batch comes.
    mutating func forget() {
        isWhole = false
    }

    @inline(__always)
    private mutating func note(_ place: Int, _ batch: borrowing Batch) {
        let attribute = batch.attributes[place]
        guard !attribute.isRemoved, attribute.kind != .empty else { return }
        let key = batch.bytes(attribute.key)
        if Self.isOwnCost(key) { hasOwnCosts = true }
        guard let entry = table.entry(ofCandidate: key) else { return }
        let index = entry.attribute.rawValue
        guard !has(entry.attribute) || entry.rank < places[index].rank else { return }
        found |= Self.bit(of: entry.attribute)
        places[index] = (place - Int(range.start), entry.rank)
    }

    private static let ownCosts = AttributeKey("weir.cost.")

    /// Whether the key begins with `weir.cost.`.
    @inline(__always)
    static func isOwnCost(_ key: UnsafeRawBufferPointer) -> Bool {
        key.count > 10 && key[0] == UInt8(ascii: "w") && key[5] == UInt8(ascii: "c")
            && ownCosts.equals(UnsafeRawBufferPointer(rebasing: key[..<10]))
    }

    @inline(__always)
    private static func bit(of attribute: GenAIAttribute) -> UInt128 { 1 << UInt128(attribute.rawValue) }

    /// The value; it points into the batch.
    func value(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> AnyValue? {
        guard has(attribute) else { return nil }
        return batch.value(of: batch.attributes[place(of: attribute)])
    }

    @inline(__always)
    private func place(of attribute: GenAIAttribute) -> Int { Int(range.start) + places[attribute.rawValue].index }

    /// Which of ``GenAIAttribute/keys`` it was; nil where there is none.
    func rank(of attribute: GenAIAttribute) -> Int? {
        has(attribute) ? Int(places[attribute.rawValue].rank) : nil
    }

    /// Which attribute of the batch says it; nil where none does.
    func index(of attribute: GenAIAttribute) -> Int? {
        has(attribute) ? place(of: attribute) : nil
    }

    @inline(__always)
    func has(_ attribute: GenAIAttribute) -> Bool { found & Self.bit(of: attribute) != 0 }

    /// Whether it has counts that most calls have not: of a cache that is written to, and of what is no text.
    var hasRareCounts: Bool { found & Self.rareCounts != 0 }

    private static let rareCounts = [
        GenAIAttribute.cacheWriteTokens, .hourCacheWriteTokens, .inputAudioTokens, .outputAudioTokens,
        .inputImageTokens, .outputImageTokens, .cachedAudioTokens, .cachedImageTokens, .characters, .seconds,
        .queries, .outputCharacters, .outputSeconds, .inputVideoTokens,
    ].reduce(0) { $0 | bit(of: $1) }

    /// What the span does, as it says, or as what else it says implies.
    func operation(of batch: borrowing Batch) -> OperationKind {
        guard has(.operation) || has(.tool) || has(.requestModel) || has(.responseModel) else { return .other }
        if case .string(let word)? = value(.operation, of: batch), word.count <= 64 {
            let kind = OperationKind(word: word)
            if kind != .other { return kind }
        }
        if let kind = otherOperation(of: batch) { return kind }
        if has(.tool) { return .tool }
        let isCounted =
            has(.inputTokens) || has(.outputTokens) || has(.characters) || has(.seconds) || has(.queries)
            || has(.outputCharacters) || has(.outputSeconds)
        guard isCounted, has(.requestModel) || has(.responseModel) else { return .other }
        return rank(of: .inputTokens) == Self.aggregated ? .agent : .llm
    }

    /// What Pydantic AI calls the sum over the calls of an agent.
    private static let aggregated = GenAIAttribute.inputTokens.keys.firstIndex(
        of: "gen_ai.aggregated_usage.input_tokens")

    /// What another vocabulary says where the first has no word for it, as Langfuse's `span`; nil where none does.
    private func otherOperation(of batch: borrowing Batch) -> OperationKind? {
        guard let first = index(of: .operation) else { return nil }
        var best: (rank: UInt8, kind: OperationKind)?
        for place in range.indices where place != first {
            let attribute = batch.attributes[place]
            guard !attribute.isRemoved, let entry = GenAIKeyTable.shared.entry(of: batch.bytes(attribute.key)),
                entry.attribute == .operation, entry.rank < best?.rank ?? .max,
                case .string(let word) = batch.value(of: attribute), word.count <= 64
            else { continue }
            let kind = OperationKind(word: word)
            if kind != .other { best = (entry.rank, kind) }
        }
        return best?.kind
    }
}

extension GenAIAttributes {
    /// The text, if it is one that is not empty.
    func text(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> UnsafeRawBufferPointer? {
        guard has(attribute) else { return nil }
        let record = batch.attributes[place(of: attribute)]
        return record.kind == .string && record.valueRef.count > 0 ? batch.bytes(record.valueRef) : nil
    }

    /// A number of tokens: instrumentations send it as int, double or text. Nil where it is none.
    func tokens(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Int64? {
        switch value(attribute, of: batch) {
        case .int(let count)?: count >= 0 ? count : nil
        case .double(let count)?: count >= 0 ? Int64(exactly: count) : nil
        case .string(let text)? where text.count <= 32: Self.tokens(String(decoding: text, as: UTF8.self))
        default: nil
        }
    }

    /// Of `10`, and of `10.0`.
    private static func tokens(_ text: String) -> Int64? {
        if let count = Int64(text) { return count >= 0 ? count : nil }
        return Double(text).flatMap { $0 >= 0 ? Int64(exactly: $0) : nil }
    }

    /// The number, times `scale` and rounded; nil where it is none, negative or more than 63 bits hold.
    func number(_ attribute: GenAIAttribute, times scale: Double, of batch: borrowing Batch) -> Int64? {
        real(attribute, of: batch).flatMap { Int64(exactly: ($0 * scale).rounded()) }
    }

    /// The number as it is; nil where it is none, or negative.
    func real(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> Double? {
        let number: Double? =
            switch value(attribute, of: batch) {
            case .int(let number)?: Double(number)
            case .double(let number)?: number
            case .string(let text)? where text.count <= 32: Double(String(decoding: text, as: UTF8.self))
            default: nil
            }
        guard let number, number >= 0 else { return nil }
        return number
    }

    /// What the sender says in place of an id that it does not have.
    private static let noIDs = ["None", "none", "null", "nil", "undefined", "0"].map { AttributeKey($0) }

    /// The id of the response; nil also where the sender says that there is none. It is no text in some.
    func responseID(of batch: borrowing Batch) -> AnyValue? {
        switch value(.responseID, of: batch) {
        case .int(0)?: nil
        case .string(let text)? where Self.noIDs.contains { $0.equals(text) }: nil
        case let id: id
        }
    }
}

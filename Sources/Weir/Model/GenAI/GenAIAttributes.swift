/// What a span says of its part in an LLM application, found in one pass over its attributes.
struct GenAIAttributes {
    /// Which attributes were found, a bit each.
    private var found: UInt128 = 0
    /// Of those that were found, which attribute of the batch it is, and which of ``GenAIAttribute/keys``.
    private var places = [(index: Int, rank: UInt8)](repeating: (0, 0), count: GenAIAttribute.allCases.count)
    /// Whether a key begins with `weir.cost.`.
    private(set) var hasOwnCosts = false
    /// Where it has looked.
    private var range = AttributeRange()

    init() {}

    /// What an attribute with this key says; nil where it is no part of any vocabulary.
    static func attribute(of key: UnsafeRawBufferPointer) -> GenAIAttribute? {
        GenAIKeyTable.shared.entry(of: key)?.attribute
    }

    /// Looks at these attributes instead of those it looked at before.
    mutating func find(in range: AttributeRange, of batch: borrowing Batch) {
        (found, hasOwnCosts, self.range) = (0, false, range)
        let (attributes, table) = (batch.attributes, GenAIKeyTable.shared)
        for place in range.indices {
            let attribute = attributes[place]
            let key = batch.bytes(attribute.key)
            guard !attribute.isRemoved, attribute.kind != .empty else { continue }
            if Self.isOwnCost(key) { hasOwnCosts = true }
            guard let entry = table.entry(of: key) else { continue }
            let index = entry.attribute.rawValue
            guard !has(entry.attribute) || entry.rank < places[index].rank else { continue }
            found |= Self.bit(of: entry.attribute)
            places[index] = (place, entry.rank)
        }
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
        return batch.value(of: batch.attributes[places[attribute.rawValue].index])
    }

    /// Which of ``GenAIAttribute/keys`` it was; nil where there is none.
    func rank(of attribute: GenAIAttribute) -> Int? {
        has(attribute) ? Int(places[attribute.rawValue].rank) : nil
    }

    /// Which attribute of the batch says it; nil where none does.
    func index(of attribute: GenAIAttribute) -> Int? {
        has(attribute) ? places[attribute.rawValue].index : nil
    }

    @inline(__always)
    func has(_ attribute: GenAIAttribute) -> Bool { found & Self.bit(of: attribute) != 0 }

    /// What the span does, as it says, or as what else it says implies.
    func operation(of batch: borrowing Batch) -> OperationKind {
        if found == 0 { return .other }
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
        guard case .string(let text)? = value(attribute, of: batch), !text.isEmpty else { return nil }
        return text
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

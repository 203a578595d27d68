/// What a span says of its part in an LLM application, found in one pass over its attributes.
struct GenAIAttributes {
    /// Which attributes were found, a bit each.
    private var found: UInt128 = 0
    /// Of those that were found, which attribute of the batch it is, and which of ``GenAIAttribute/keys``.
    private var places = [(index: Int, rank: UInt8)](repeating: (0, 0), count: GenAIAttribute.allCases.count)
    /// Whether a key begins with `weir.cost.`.
    private(set) var hasOwnCosts = false

    init() {}

    /// What an attribute with this key says; nil where it is no part of any vocabulary.
    static func attribute(of key: UnsafeRawBufferPointer) -> GenAIAttribute? {
        GenAIKeyTable.shared.entry(of: key)?.attribute
    }

    /// Looks at these attributes instead of those it looked at before.
    mutating func find(in range: AttributeRange, of batch: borrowing Batch) {
        (found, hasOwnCosts) = (0, false)
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
        if has(.tool) { return .tool }
        let isCounted =
            has(.inputTokens) || has(.outputTokens) || has(.characters) || has(.seconds) || has(.queries)
        return isCounted && (has(.requestModel) || has(.responseModel)) ? .llm : .other
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
        case .string(let text)? where text.count <= 20:
            Int64(String(decoding: text, as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
        default: nil
        }
    }

    /// The number, times `scale` and rounded; nil where it is none, negative or more than 63 bits hold.
    func number(_ attribute: GenAIAttribute, times scale: Double, of batch: borrowing Batch) -> Int64? {
        let number: Double? =
            switch value(attribute, of: batch) {
            case .int(let number)?: Double(number)
            case .double(let number)?: number
            case .string(let text)? where text.count <= 32: Double(String(decoding: text, as: UTF8.self))
            default: nil
            }
        guard let number, number >= 0 else { return nil }
        return Int64(exactly: (number * scale).rounded())
    }
}

/// What a span says of its part in an LLM application, found in one pass over its attributes.
struct GenAIAttributes {
    private struct Key: Sendable {
        let key: AttributeKey
        let attribute: Int
        /// Lower goes before higher.
        let rank: UInt8
    }

    /// By the length of the key: most keys of other attributes are told by it.
    private static let keys: [[Key]] = {
        var keys: [[Key]] = []
        for attribute in GenAIAttribute.allCases {
            for (rank, text) in attribute.keys.enumerated() {
                let key = AttributeKey(text)
                while keys.count <= key.count { keys.append([]) }
                keys[key.count].append(Key(key: key, attribute: attribute.rawValue, rank: UInt8(rank)))
            }
        }
        return keys
    }()

    private static let none = UInt8.max

    /// By the length of a key, which first and last bytes one of that length may have: nearly all other attributes are
    /// told by it.
    private static let filters: InlineArray<64, UInt64> = {
        var filters = InlineArray<64, UInt64>(repeating: 0)
        for (length, keys) in keys.enumerated() {
            precondition(length < 64, "a key that is longer than the filter is for")
            for key in keys { key.key.bytes.withUnsafeBytes { filters[length] |= bit(of: $0) } }
        }
        return filters
    }()

    @inline(__always)
    private static func bit(of key: UnsafeRawBufferPointer) -> UInt64 {
        guard let first = key.first, let last = key.last else { return 0 }
        return 1 << UInt64((first &* 5 &+ last) & 63)
    }

    private let filters = GenAIAttributes.filters

    /// What an attribute with this key says; nil where it is no part of any vocabulary.
    static func attribute(of key: UnsafeRawBufferPointer) -> GenAIAttribute? {
        guard key.count < keys.count else { return nil }
        return keys[key.count].first { $0.key.equals(key) }.flatMap { GenAIAttribute(rawValue: $0.attribute) }
    }

    private var ranks = [UInt8](repeating: none, count: GenAIAttribute.allCases.count)
    private var places = [Int](repeating: 0, count: GenAIAttribute.allCases.count)
    private var isEmpty = true

    init() {}

    /// Looks at these attributes instead of those it looked at before.
    mutating func find(in range: AttributeRange, of batch: borrowing Batch) {
        if !isEmpty {
            for index in ranks.indices { ranks[index] = Self.none }
            isEmpty = true
        }
        let attributes = batch.attributes
        for place in range.indices {
            let attribute = attributes[place]
            let length = Int(attribute.key.count)
            guard length < 64 else { continue }
            let bytes = batch.bytes(attribute.key)
            guard filters[length] & Self.bit(of: bytes) != 0, !attribute.isRemoved, attribute.kind != .empty else {
                continue
            }
            let candidates = Self.keys[length]
            for index in candidates.indices where candidates[index].key.equals(bytes) {
                let key = candidates[index]
                guard key.rank < ranks[key.attribute] else { break }
                ranks[key.attribute] = key.rank
                places[key.attribute] = place
                isEmpty = false
                break
            }
        }
    }

    /// The value; it points into the batch.
    func value(_ attribute: GenAIAttribute, of batch: borrowing Batch) -> AnyValue? {
        guard ranks[attribute.rawValue] != Self.none else { return nil }
        return batch.value(of: batch.attributes[places[attribute.rawValue]])
    }

    /// Which of ``GenAIAttribute/keys`` it was; nil where there is none.
    func rank(of attribute: GenAIAttribute) -> Int? {
        ranks[attribute.rawValue] == Self.none ? nil : Int(ranks[attribute.rawValue])
    }

    /// Which attribute of the batch says it; nil where none does.
    func index(of attribute: GenAIAttribute) -> Int? {
        has(attribute) ? places[attribute.rawValue] : nil
    }

    func has(_ attribute: GenAIAttribute) -> Bool { ranks[attribute.rawValue] != Self.none }

    /// What the span does, as it says, or as what else it says implies.
    func operation(of batch: borrowing Batch) -> OperationKind {
        if isEmpty { return .other }
        if case .string(let word)? = value(.operation, of: batch), word.count <= 64 {
            let kind = OperationKind(word: word)
            if kind != .other { return kind }
        }
        if has(.tool) { return .tool }
        return (has(.requestModel) || has(.responseModel)) && (has(.inputTokens) || has(.outputTokens)) ? .llm : .other
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

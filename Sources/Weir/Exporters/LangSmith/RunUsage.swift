/// What a call of a model has used and cost, as LangSmith's `usage_metadata`.
///
/// Only calls of models have it: LangSmith adds up what the runs below an agent have used by itself.
struct RunUsage {
    private static let costPrefix = AttributeKey("weir.cost.")
    private static let inputs: [(StaticString, GenAIAttribute)] = [
        ("cache_read", .cacheReadTokens), ("cache_creation", .cacheWriteTokens),
        ("ephemeral_1h_input_tokens", .hourCacheWriteTokens), ("audio", .inputAudioTokens),
        ("image", .inputImageTokens),
    ]
    private static let outputs: [(StaticString, GenAIAttribute)] = [
        ("reasoning", .reasoningTokens), ("audio", .outputAudioTokens), ("image", .outputImageTokens),
    ]

    /// Nil where the span says nothing of it.
    let tree: JSONTree?
    /// Whether what the span counts stands in it.
    let hasCounts: Bool

    init(of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch) {
        if let said = genAI.value(.usage, of: batch), case let tree = JSONTree(readingTextsOf: said), tree.isObject {
            (self.tree, hasCounts) = (tree, true)
            return
        }
        guard genAI.operation(of: batch).isModelCall else {
            (tree, hasCounts) = (nil, false)
            return
        }
        var members: [JSONTree.Member] = []
        func add(_ name: StaticString, _ value: JSONTree?) {
            if let value { members.append((JSONTree.Text(name), value)) }
        }
        let used = genAI.usage(of: span, in: batch)
        // Counts that contradict each other are none.
        hasCounts = used != nil || genAI.counts(of: batch).isEmpty
        if hasCounts {
            // LangSmith: "input_tokens: count of input tokens, sum of all input token types".
            let (input, output) = genAI.tokens(of: used)
            add("input_tokens", input.map(JSONTree.int))
            add("output_tokens", output.map(JSONTree.int))
            let sum = input == nil && output == nil ? nil : (input ?? 0) + (output ?? 0)
            let said = input == nil || output == nil ? genAI.tokens(.totalTokens, of: batch) : nil
            add("total_tokens", (said ?? sum).map(JSONTree.int))
            add("input_token_details", Self.details(Self.inputs, .inputTokenDetails, genAI, batch))
            add("output_token_details", Self.details(Self.outputs, .outputTokenDetails, genAI, batch))
        }
        let costs = Self.costs(of: span, genAI, batch)
        add("input_cost", costs.input.map(JSONTree.double))
        add("output_cost", costs.output.map(JSONTree.double))
        add("total_cost", costs.total.map(JSONTree.double))
        tree = members.isEmpty ? nil : .object(members)
    }

    /// LangSmith's Python client sends them as a text that Python's `repr` made, `{'cache_read': 5}`.
    private static func details(
        _ counts: [(StaticString, GenAIAttribute)], _ attribute: GenAIAttribute, _ genAI: GenAIAttributes,
        _ batch: borrowing Batch
    ) -> JSONTree? {
        var known: [(StaticString, JSONTree)] = []
        for (name, attribute) in counts {
            if let count = genAI.tokens(attribute, of: batch) { known.append((name, .int(count))) }
        }
        if !known.isEmpty { return .fields(known) }
        guard let text = genAI.text(attribute, of: batch), text.count <= 4_096 else { return nil }
        let said = String(decoding: text, as: UTF8.self).split { "{}'\", :".contains($0) }.map(String.init)
        var members: [JSONTree.Member] = []
        for (name, number) in zip(said, said.dropFirst()) {
            if let count = Int64(number), Int64(name) == nil { members.append((.own(name), .int(count))) }
        }
        return members.isEmpty ? nil : .object(members)
    }

    /// In USD.
    private static func costs(
        of span: SpanRecord, _ genAI: GenAIAttributes, _ batch: borrowing Batch
    ) -> (input: Double?, output: Double?, total: Double?) {
        func dollars(_ value: AnyValue?) -> Double? {
            switch value {
            case .double(let cost)?: cost.isFinite ? cost : nil
            case .int(let cost)?: Double(cost)
            case .string(let text)? where text.count <= 64:
                Double(String(decoding: text, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
            default: nil
            }
        }
        guard let total = dollars(genAI.value(.tableCost, of: batch)) else {
            return (
                dollars(genAI.value(.inputCost, of: batch)), dollars(genAI.value(.outputCost, of: batch)),
                dollars(genAI.value(.cost, of: batch))
            )
        }
        var (input, output) = (0.0, 0.0)
        for place in span.attributes.indices {
            let attribute = batch.attributes[place]
            let key = batch.bytes(attribute.key)
            guard !attribute.isRemoved, key.count > costPrefix.count,
                costPrefix.equals(UnsafeRawBufferPointer(rebasing: key[..<costPrefix.count]))
            else { continue }
            let unit = String(decoding: key[costPrefix.count...], as: UTF8.self)
            guard let cost = dollars(batch.value(of: attribute)) else { continue }
            if unit.hasPrefix("input") || unit.hasPrefix("cache_") && unit != "cache_basis" { input += cost }
            if unit.hasPrefix("output") || unit == "reasoning" { output += cost }
        }
        return (input, output, total)
    }
}

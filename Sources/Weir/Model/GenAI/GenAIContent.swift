/// What went into a call and came out of it, in all vocabularies, as JSON objects that a person reads.
///
/// Where a span says it more than once: OpenTelemetry's messages go first, then those in events, OpenInference's and
/// Traceloop's flattened ones, and last the values of no special shape.
struct GenAIContent {
    /// An object; nil where the span says nothing.
    private(set) var inputs: JSONTree?
    private(set) var outputs: JSONTree?

    private enum Slot: Int, CaseIterable {
        case inputMessages, outputMessages, prompts, completions, documents, ranked, unranked, texts

        var prefix: String {
            switch self {
            case .inputMessages: "llm.input_messages."
            case .outputMessages: "llm.output_messages."
            case .prompts: "gen_ai.prompt."
            case .completions: "gen_ai.completion."
            case .documents: "retrieval.documents."
            case .ranked: "reranker.output_documents."
            case .unranked: "reranker.input_documents."
            case .texts: "embedding.embeddings."
            }
        }
    }

    private static let prefixes = Slot.allCases.map { AttributeKey($0.prefix) }

    /// Whether the key is one of a flattened content.
    static func isFlattened(_ key: UnsafeRawBufferPointer) -> Bool { slot(of: key) != nil }

    private static func slot(of key: UnsafeRawBufferPointer) -> Int? {
        guard key.count > 14, key.last != UInt8(ascii: ".") else { return nil }
        return prefixes.firstIndex { prefix in
            key.count > prefix.count && isDigit(key[prefix.count])
                && prefix.equals(UnsafeRawBufferPointer(rebasing: key[..<prefix.count]))
        }
    }

    init(of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch) {
        // Few spans have any.
        var trees: [DottedAttributes] = []
        for place in span.attributes.indices {
            let attribute = batch.attributes[place]
            let key = batch.bytes(attribute.key)
            guard !attribute.isRemoved, let slot = Self.slot(of: key) else { continue }
            let value = batch.value(of: attribute)
            // Vectors are long, and nobody reads them.
            if slot == Slot.texts.rawValue, case .array = value { continue }
            let rest = UnsafeRawBufferPointer(rebasing: key[Self.prefixes[slot].count...])
            if trees.isEmpty { trees = Self.prefixes.map { _ in DottedAttributes() } }
            trees[slot].add(rest, value)
        }
        func tree(_ slot: Slot) -> JSONTree? { trees.isEmpty ? nil : trees[slot.rawValue].tree() }
        func value(_ attribute: GenAIAttribute) -> JSONTree? {
            genAI.value(attribute, of: batch).map { JSONTree(readingTextsOf: $0) }
        }
        // What is nothing but put through.
        func values(_ attribute: GenAIAttribute) -> JSONTree? {
            genAI.value(attribute, of: batch).map { JSONTree(readingTextsOf: $0, leavesMembers: true) }
        }
        let events = span.eventCount > 0 ? GenAIEvents(of: span, in: batch) : GenAIEvents()

        var system = value(.systemInstructions).map { [ChatMessages.system($0)] } ?? []
        if let messages = value(.inputMessages) ?? events.details?.input {
            if let instructions = events.details?.system, system.isEmpty {
                system = [ChatMessages.system(instructions)]
            }
            inputs = Self.chat(system + ChatMessages.messages(messages, role: "user"))
        } else if !events.prompts.isEmpty {
            inputs = Self.chat(system + events.prompts)
        } else if let messages = tree(.inputMessages) ?? tree(.prompts) {
            inputs = Self.chat(system + ChatMessages.messages(messages, role: "user"))
        } else if let documents = tree(.unranked) {
            inputs = .fields(["query": value(.retrievalQuery) ?? .null, "documents": documents])
        } else if let query = value(.retrievalQuery) {
            inputs = .fields(["query": query])
        } else if let texts = tree(.texts) {
            inputs = .fields(["texts": .array(texts.elements.map { $0["text"] ?? $0 })])
        } else {
            inputs = (values(.input) ?? values(.promptVariables)).map { Self.object($0, "input") }
            if !system.isEmpty {
                inputs = Self.chat(system + (inputs.map { [.fields(["role": .text("user"), "content": $0])] } ?? []))
            }
        }

        if let messages = value(.outputMessages) ?? events.details?.output {
            outputs = Self.chat(ChatMessages.messages(messages, role: "assistant"))
        } else if !events.choices.isEmpty {
            outputs = Self.chat(events.choices)
        } else if let messages = tree(.outputMessages) ?? tree(.completions) {
            outputs = Self.chat(ChatMessages.messages(messages, role: "assistant"))
        } else if let documents = tree(.ranked) ?? tree(.documents) ?? value(.retrievalDocuments) {
            outputs = .fields(["documents": .array(Self.list(documents).map(Self.document))])
        } else if let calls = Self.toolCalls(of: span, genAI, in: batch) {
            let text = genAI.rank(of: .output) == Self.textRank ? genAI.value(.output, of: batch) : nil
            let message = JSONTree.fields(["content": text.map { JSONTree($0) } ?? .text(""), "tool_calls": calls])
            outputs = Self.chat(ChatMessages.messages(message, role: "assistant"))
        } else {
            outputs = values(.output).map { Self.object($0, "output") }
        }
    }

    private static let textRank = GenAIAttribute.output.keys.firstIndex(of: "ai.response.text")
    private static let toolCallsRank = GenAIAttribute.output.keys.firstIndex(of: "ai.response.toolCalls")
    private static let toolCallsKey = AttributeKey("ai.response.toolCalls")

    /// The Vercel AI SDK's, with which the text may come beside them, or none; nil where there are none.
    private static func toolCalls(
        of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch
    ) -> JSONTree? {
        guard let rank = genAI.rank(of: .output), rank == textRank || rank == toolCallsRank,
            let value = batch.value(of: toolCallsKey, in: span.attributes),
            case let calls = JSONTree(readingTextsOf: value), !calls.elements.isEmpty
        else { return nil }
        return calls
    }

    private static func chat(_ messages: [JSONTree]) -> JSONTree { .fields(["messages": .array(messages)]) }

    private static func object(_ tree: JSONTree, _ name: StaticString) -> JSONTree {
        if tree.isObject { return tree }
        if ChatMessages.areMessages(tree) {
            return chat(tree.elements.flatMap { ChatMessages.messages($0, role: "user") })
        }
        return .fields([(name, tree)])
    }

    /// What is no list is the only one of it.
    private static func list(_ tree: JSONTree) -> [JSONTree] {
        if case .array(let elements) = tree { elements } else { [tree] }
    }

    /// As LangChain has documents.
    private static func document(_ tree: JSONTree) -> JSONTree {
        if case .string = tree { return document(.fields(["content": tree])) }
        guard tree["page_content"] == nil, let content = tree["content"] else { return tree }
        var metadata = tree["metadata"] ?? .object([JSONTree.Member]())
        if case .string(.plain(let text)) = metadata { metadata = JSONTreeReader.container(text) ?? metadata }
        let further = tree.members.filter { !$0.key.equals("content") && !$0.key.equals("metadata") }
        return .object(
            [
                (JSONTree.Text("page_content"), content), (JSONTree.Text("metadata"), metadata),
                (JSONTree.Text("type"), .text("Document")),
            ]
                + further)
    }
}

/// LangSmith's `run_type`.
enum RunKind: String, CaseIterable {
    case tool, chain, llm, retriever, embedding, prompt, parser

    private static let own = AttributeKey("langsmith.span.kind")
    private static let openInference = AttributeKey("openinference.span.kind")
    private static let requestType = AttributeKey("llm.request.type")

    init(of span: SpanRecord, _ genAI: GenAIAttributes, in batch: borrowing Batch) {
        if case .string(let word)? = batch.value(of: Self.own, in: span.attributes), word.count <= 16,
            let kind = RunKind(rawValue: String(decoding: word, as: UTF8.self).lowercased())
        {
            self = kind
            return
        }
        switch genAI.operation(of: batch) {
        case .llm: self = .llm
        case .tool: self = .tool
        case .retrieval: self = .retriever
        case .embedding: self = .embedding
        case .agent, .workflow: self = .chain
        case .other:
            if genAI.has(.promptVariables) || Self.says("PROMPT", Self.openInference, span, batch) {
                self = .prompt
            } else if Self.says("rerank", Self.requestType, span, batch) {
                self = .retriever
            } else {
                self = .chain
            }
        }
    }

    private static func says(
        _ word: String, _ key: AttributeKey, _ span: SpanRecord, _ batch: borrowing Batch
    ) -> Bool {
        guard case .string(let value)? = batch.value(of: key, in: span.attributes) else { return false }
        return value.elementsEqual(word.utf8)
    }
}

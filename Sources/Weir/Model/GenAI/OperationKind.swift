/// What a span of an LLM application does; the column `spans.operation`.
enum OperationKind: Int16, CaseIterable, Sendable {
    case other = 0
    case llm = 1
    case tool = 2
    case agent = 3
    case retrieval = 4
    case embedding = 5
    case workflow = 6

    var name: String { "\(self)" }

    /// Whether the usage on such a span is that of one call of a model. What agents and workflows carry is the sum over
    /// the calls below them, and would count twice.
    var isModelCall: Bool { self == .llm || self == .embedding }

    /// The words for it, in lower case: `gen_ai.operation.name`, OpenInference's `openinference.span.kind`, Langfuse's
    /// observation types, LangSmith's and Traceloop's span kinds, MLflow's span types.
    private static let words: [String: OperationKind] = [
        "chat": .llm, "generate_content": .llm, "text_completion": .llm, "completion": .llm, "llm": .llm,
        "generation": .llm, "chat_model": .llm,
        "execute_tool": .tool, "tool": .tool,
        "invoke_agent": .agent, "create_agent": .agent, "agent": .agent, "agent_step": .agent,
        "retrieval": .retrieval, "retriever": .retrieval, "rerank": .retrieval, "reranker": .retrieval,
        "embeddings": .embedding, "embedding": .embedding, "embedder": .embedding,
        "invoke_workflow": .workflow, "workflow": .workflow, "chain": .workflow, "task": .workflow, "plan": .workflow,
    ]

    /// The words of most spans, as they are written.
    private static let usual = ["chat", "LLM", "invoke_agent", "execute_tool", "embeddings", "CHAIN", "AGENT", "TOOL"]
        .map {
            (word: AttributeKey($0), kind: OperationKind(word: $0))
        }

    init(word: UnsafeRawBufferPointer) {
        if let found = Self.usual.first(where: { $0.word.equals(word) }) {
            self = found.kind
        } else {
            self.init(word: String(decoding: word, as: UTF8.self))
        }
    }

    /// - Parameter word: the value of one of those attributes. MLflow's stands in quotes.
    init(word: String) {
        let bare = word.lowercased().filter { $0 != "\"" }
        self = Self.words[bare] ?? Self.vercel(bare) ?? .other
    }

    /// The Vercel AI SDK before version 7: the outer span repeats the usage of the `.do…` span inside it.
    private static func vercel(_ word: String) -> OperationKind? {
        guard word.hasPrefix("ai.") else { return nil }
        let operation = word.split(separator: " ").first ?? ""
        if operation == "ai.toolcall" { return .tool }
        if operation.hasSuffix(".doembed") { return .embedding }
        return operation.contains(".do") ? .llm : .workflow
    }
}

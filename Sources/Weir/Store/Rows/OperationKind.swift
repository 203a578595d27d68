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
}

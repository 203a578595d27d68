/// What becomes of the prompts and answers of models, as a whole.
enum ContentAction: String, CaseIterable, Sendable {
    case keep, hash, drop
}

/// What becomes of the prompts and answers of models, as a whole.
enum ContentAction: String, CaseIterable, Sendable {
    case keep, hash, drop, encrypt

    var keyAction: KeyAction {
        switch self {
        case .keep: .keep
        case .hash: .hash
        case .drop: .drop
        case .encrypt: .encrypt
        }
    }
}

/// What a component does.
enum ComponentKind: String, Sendable, CaseIterable {
    case receiver
    case processor
    case exporter
    /// Is used by components, and no part of a pipeline.
    case `extension`

    /// The top-level key under which such components are defined.
    var section: String { rawValue + "s" }
}

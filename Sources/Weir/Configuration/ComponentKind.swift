/// What a component does in a pipeline.
enum ComponentKind: String, Sendable, CaseIterable {
    case receiver
    case processor
    case exporter

    /// The top-level key under which such components are defined.
    var section: String { rawValue + "s" }
}

/// What `collector.yaml` says about one component. An instance that was read without an error is valid.
protocol Configurable: Sendable {
    /// Asks `fields` for every key that the component has. It also runs on an empty mapping, to learn which keys there
    /// are.
    ///
    /// Throws where nothing can stand in for what is missing; other problems are recorded by the getters and by
    /// `Fields.reject`.
    init(_ fields: inout Fields) throws(ConfigError)
    /// Of a processor or an exporter.
    var traits: ProcessorTraits { get }
}

extension Configurable {
    var traits: ProcessorTraits { [] }
}

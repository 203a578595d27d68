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
    /// Tenants that it has something of their own for.
    var namedTenants: Set<String> { get }
    /// Of an extension that knows clients: their tenants; nil where these may be any.
    var clientTenants: Set<String>? { get }
    /// Of a processor: attributes whose values it asks for.
    var askedKeys: [AttributeKey] { get }
    /// Of a processor: attributes by whose values tables behind the pipeline add something up, and what that is.
    var countedKeys: [(what: String, keys: [AttributeKey])] { get }
    /// Of a processor: names under which the tables behind the pipeline keep that they were used up.
    var budgetNames: [String] { get }
    /// Of an exporter: what tells its tables from others', which may be a secret; nil where it has none that add up
    /// what is spent.
    var tables: String? { get }
    /// Of an exporter with tables: the keys that say when rows go, and what they say. All who write the tables have to
    /// say the same.
    var upkeep: [String: String] { get }
    /// Of a processor: whether those behind it find something else in place of an attribute's value, or those behind
    /// the one that encrypts for it.
    func covers(_ key: AttributeKey) -> Bool
    /// The directory that no other exporter of the same pipeline may write to, and of a stage, no other pipeline; nil
    /// where it has none.
    var ownDirectory: String? { get }
    /// What stands beside the component wherever a pipeline names it, each as a component of its own that is called
    /// `id-NAME`: the further ones of several destinations, so that none of them waits for another.
    var replicas: [(name: String, configuration: any Configurable)] { get }
}

extension Configurable {
    var traits: ProcessorTraits { [] }
    var namedTenants: Set<String> { [] }
    var clientTenants: Set<String>? { [] }
    var askedKeys: [AttributeKey] { [] }
    var countedKeys: [(what: String, keys: [AttributeKey])] { [] }
    var budgetNames: [String] { [] }
    var tables: String? { nil }
    var upkeep: [String: String] { [:] }
    func covers(_ key: AttributeKey) -> Bool { false }
    var ownDirectory: String? { nil }
    var replicas: [(name: String, configuration: any Configurable)] { [] }
}

/// What `collector.yaml` says about one component. An instance that exists is valid.
protocol Configurable: Sendable {
    init(_ fields: inout Fields) throws(ConfigError)
}

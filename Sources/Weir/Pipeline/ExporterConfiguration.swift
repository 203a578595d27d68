/// An exporter's own configuration, and how it is delivered to.
struct ExporterConfiguration<Kind: Exporter>: Configurable {
    let own: Kind.Configuration
    let delivery: DeliveryConfiguration

    var traits: ProcessorTraits { own.traits }

    init(_ fields: inout Fields) throws(ConfigError) {
        own = try Kind.Configuration(&fields)
        delivery = DeliveryConfiguration(&fields, defaults: Kind.deliveryDefaults)
    }
}

/// An exporter's own configuration, and how it is delivered to.
struct ExporterConfiguration<Kind: Exporter>: Configurable {
    let own: Kind.Configuration
    let delivery: DeliveryConfiguration

    var traits: ProcessorTraits {
        delivery.reveal.isEmpty ? own.traits : own.traits.subtracting(.showsContent)
    }

    var namedTenants: Set<String> { own.namedTenants }

    var ownDirectory: String? { own.ownDirectory }

    var tables: String? { own.tables }

    var upkeep: [String: String] { own.upkeep }

    var replicas: [(name: String, configuration: any Configurable)] {
        own.replicas.compactMap { name, configuration in
            (configuration as? Kind.Configuration).map { (name, Self($0, delivery)) }
        }
    }

    private init(_ own: Kind.Configuration, _ delivery: DeliveryConfiguration) {
        (self.own, self.delivery) = (own, delivery)
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        own = try Kind.Configuration(&fields)
        delivery = DeliveryConfiguration(&fields, defaults: Kind.deliveryDefaults)
    }
}

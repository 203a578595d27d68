/// Changes the attributes of resources: of the services and machines that spans come from.
struct ResourceProcessor: Processor {
    struct Configuration: Configurable {
        /// The changes, in their order.
        let attributes: [AttributeAction]

        init(_ fields: inout Fields) throws(ConfigError) {
            attributes = AttributeAction.list("attributes", from: &fields)
        }
    }

    static let type = "resource"
    static let help = "Inserts, updates, deletes, extracts and converts attributes of resources."

    private var actions: AttributeActions
    private let telemetry: MatchTelemetry

    init(_ configuration: Configuration, _ context: Context) {
        actions = AttributeActions(configuration.attributes)
        telemetry = MatchTelemetry(context)
    }

    mutating func process(_ batch: inout Batch) {
        actions.begin()
        for index in batch.resources.indices {
            actions.apply(to: .resource(index), in: &batch)
        }
        telemetry.take(from: batch)
    }
}

/// The section `service.operations`.
struct OperationsConfiguration: Sendable {
    let listener: ListenerConfiguration

    init(_ fields: inout Fields) {
        // What can be asked for here changes what the collector does, so no key opens it to a network.
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 8889), "Where Weir is operated.", mayBeOpen: false)
    }
}

/// The events that pages may send: what `telemetry/metrics.yml` says.
struct EventRegistry: Sendable {
    static let maximumEvents = 5_000

    /// In the order of the file.
    let events: [EventSchema]
    private let places: [String: Int]

    init(_ fields: inout Fields) {
        _ = fields.int("version", default: 1, in: 1...1, "The version of the format.")
        var names: Set<String> = []
        events = fields.list("events", count: 0...Self.maximumEvents, "The events that there are.") { fields in
            let event = EventSchema(&fields)
            if !names.insert(event.name).inserted {
                fields.reject("name", "is there a second time, wanted each event once")
            }
            return event
        }
        places = Dictionary(events.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    subscript(name: String) -> EventSchema? { places[name].map { events[$0] } }
}

/// What happens to an exporter's share when its journal is full.
enum FullPolicy: String, Sendable, CaseIterable {
    /// New batches are refused until the exporter has caught up.
    case refuse
    /// The exporter's oldest records are skipped, counted and reported.
    case skip
}

/// The keys that every exporter has, because they say how it is delivered to.
struct DeliveryConfiguration: Sendable {
    let onFull: FullPolicy

    init(_ fields: inout Fields) {
        onFull = fields.choice(
            "on_full", default: FullPolicy.refuse,
            "What happens when the journal is full because this exporter is behind: refuse new spans, or "
                + "skip its oldest."
        )
    }
}

/// An exporter's own configuration, and how it is delivered to.
struct ExporterConfiguration<Own: Configurable>: Configurable {
    let own: Own
    let delivery: DeliveryConfiguration

    init(_ fields: inout Fields) throws(ConfigError) {
        own = try Own(&fields)
        delivery = DeliveryConfiguration(&fields)
    }
}

/// The metrics of one delivery.
struct DeliveryTelemetry: Sendable {
    /// Seconds without a success from which on somebody is told: less is a restart of the destination.
    static let patience = 60.0

    /// Whose they are, in words.
    private let name: String
    let sentSpans: Counter
    let failedSpans: Counter
    let deadLetterSpans: Counter
    let failedAttempts: Counter
    let inFlightBatches: Gauge
    let heldBatches: Gauge
    let retrying: Gauge
    let parkedSpans: Gauge

    init(_ metrics: MetricRegistry, exporter: ComponentID, pipeline: ComponentID, reader: JournalReader) {
        name = "exporter \(exporter) of pipeline \(pipeline)"
        let labels = ["exporter": exporter.description, "pipeline": pipeline.description]
        sentSpans = metrics.counter(
            "otelcol_exporter_sent_spans", help: "Spans that the destination has taken.", labels: labels)
        failedSpans = metrics.counter(
            "otelcol_exporter_send_failed_spans", help: "Spans that the destination cannot take.", labels: labels)
        deadLetterSpans = metrics.counter(
            "weir_exporter_dead_letter_spans", help: "Spans put into the dead letters.", labels: labels)
        failedAttempts = metrics.counter(
            "weir_exporter_failed_attempts", help: "Attempts to deliver a batch that failed, retried ones too.",
            labels: labels)
        inFlightBatches = metrics.gauge(
            "weir_exporter_in_flight_batches", help: "Batches that were read and are not done.", labels: labels)
        heldBatches = metrics.gauge(
            "weir_exporter_held_batches",
            help: "Batches that wait for room for what the destination does not take: dead letters, parked records.",
            labels: labels)
        retrying = metrics.gauge(
            "weir_exporter_retrying",
            help: "Seconds since the destination, or the disk for its dead letters, takes nothing, or the journal is "
                + "not readable; 0 if all is well.",
            labels: labels)
        parkedSpans = metrics.gauge(
            "weir_exporter_parked_spans", help: "Spans set aside because the destination does not work for a tenant.",
            labels: labels)
        metrics.observe(
            "otelcol_exporter_queue_size", kind: .gauge,
            help: "Spans that the destination does not have yet, in flight or not.", labels: labels
        ) { Double(reader.unsettledSpans) }
    }

    /// What is wrong, a line each; empty when nothing is.
    var complaints: [String] {
        var complaints: [String] = []
        if retrying.value >= Self.patience {
            complaints.append("\(name): the destination has taken nothing for \(Int(retrying.value)) seconds")
        }
        if heldBatches.value > 0 {
            complaints.append(
                "\(name): \(Int(heldBatches.value)) batches wait, and what comes after them, since what the "
                    + "destination does not take cannot be kept; the log says why")
        }
        if parkedSpans.value > 0 {
            complaints.append(
                "\(name): \(Int(parkedSpans.value)) spans are parked, for tenants whose destination does not work")
        }
        return complaints
    }

    /// Nobody delivers there any more, so nothing is wrong with it.
    func end() {
        inFlightBatches.set(0)
        heldBatches.set(0)
        retrying.set(0)
    }

    /// - Parameter awaitsKeySince: see ``JournalReader/awaitsKeySince``.
    func show(
        _ state: DeliveryState, awaitsKeySince: ContinuousClock.Instant?, at now: ContinuousClock.Instant
    ) {
        inFlightBatches.set(state.flights.count)
        heldBatches.set(state.heldBatches)
        parkedSpans.set(state.parked.spans)
        let since = [state.failingSince, state.unreadableSince, awaitsKeySince].compactMap { $0 }.min()
        retrying.set(since.map { max(0, ($0.duration(to: now)) / .seconds(1)) } ?? 0)
    }
}

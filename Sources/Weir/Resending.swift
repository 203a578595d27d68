import Logging

/// Sends records again to an exporter that runs alone, outside of any pipeline.
struct Resending: Sendable {
    /// How long a destination that fails is tried.
    static let patience = Duration.seconds(60)

    let attempt: Attempt
    let delivery: DeliveryConfiguration
    let context: Context
    let patience: Duration

    init(
        to exporter: any Exporter, _ delivery: DeliveryConfiguration, _ context: Context, view: (any BatchView)?,
        patience: Duration = Self.patience
    ) {
        attempt = Attempt(exporter: exporter, timeout: delivery.timeout, logger: context.logger, view: view)
        (self.delivery, self.context, self.patience) = (delivery, context, patience)
    }

    /// - Parameter refuse: is given what the destination does not take, and why.
    /// - Returns: what is done, from the first record on, and whether that is all.
    func send(
        _ records: [JournalRecord], of journal: JournalID, refuse: (Piece, String) async throws -> Void
    ) async throws -> (finished: [Shipment.Finished], isComplete: Bool) {
        var shipment = Shipment(
            records, splitsRecords: delivery.splitsRecords, backoff: Backoff(delivery.retry))
        var finished: [Shipment.Finished] = []
        while let part = shipment.next {
            switch part.fate {
            case .export:
                guard let cut = part.piece.cut() else {
                    shipment.refuseWhole()
                    continue
                }
                let batch = FrozenBatch(journal: journal, records: cut, recoveredThrough: .max)
                switch await attempt.export(batch) {
                case .success: finished += shipment.finish()
                case .failure(.rejected(let reason)): shipment.refuse(reason)
                case .failure(.tenantBlocked(let tenant, let reason)):
                    if !shipment.park(tenant, reason) { shipment.giveUp(reason) }
                case .failure(.tenantAway(_, let reason)):
                    guard await wait(&shipment, reason, nil) else { return (finished, false) }
                case .failure(.retryable(let reason, let after)):
                    guard await wait(&shipment, reason, after) else { return (finished, false) }
                }
            case .bury(let reason), .park(_, let reason):
                try await refuse(part.piece, reason)
                finished += shipment.finish()
            }
        }
        return (finished, true)
    }

    /// Whether what was sent is safe at the destination.
    func settle(_ finished: [Shipment.Finished]) async -> Bool {
        guard let last = finished.map(\.sequences.upperBound).max() else { return true }
        await attempt.exporter.settle()
        return await attempt.exporter.settled(through: last) >= last
    }

    /// - Returns: whether another attempt is worth it.
    private func wait(_ shipment: inout Shipment, _ reason: String, _ after: Duration?) async -> Bool {
        let since = shipment.failingSince ?? .now
        shipment.failingSince = since
        let pause = shipment.backoff.next(named: after, chance: .random(in: 0...1))
        let goesOn = delivery.retry.isEnabled && ContinuousClock.now + pause - since < patience
        context.logger.warning("could not deliver", metadata: ["reason": "\(reason)", "ends": "\(!goesOn)"])
        guard goesOn else { return false }
        try? await Task.sleep(for: pause)
        return true
    }
}

/// What one delivery has under way, and what it does next. No clock, no I/O: whoever carries the actions out says how
/// they ended.
///
/// Batches are read from the journal and exported side by side, up to `num_consumers`. A ``Shipment`` halves what is
/// refused; what is done and safe at the destination is committed.
struct DeliveryState {
    typealias Instant = ContinuousClock.Instant

    struct Settings {
        let retry: RetryConfiguration
        let queue: SendingQueueConfiguration
        let splitsRecords: Bool
        /// See ``DeliveryDefaults/waitsForLater``.
        var waitsForLater = false
        let tickInterval: Duration
        /// How long deliveries go on once the journal is closed.
        let drainTimeout: Duration
    }

    /// What the journal says.
    struct Journal {
        /// What was not read yet.
        let spans: Int
        let bytes: Int
        let isClosed: Bool
        let needsRoom: Bool
        /// Another delivery goes on with what this one does not bring.
        var isHandedOver = false
    }

    /// How long attempts under way may take once another delivery is to go on.
    static let handover = Duration.seconds(2)

    enum Action {
        /// Read a batch: `read`.
        case read
        /// Hand the piece to the exporter: `exported`, or `inseparable`. The journal is nil for the one that is read.
        case export(_ flight: Int, Piece, JournalID?)
        /// Cancel the export. It ends all the same with `exported`.
        case cancel(_ flight: Int)
        /// Put the piece into the dead letters: `kept`.
        case bury(_ flight: Int, Piece, JournalID?, reason: String)
        /// Set the piece aside: `kept`.
        case park(_ flight: Int, Piece, tenant: String, reason: String)
        /// Say that the tenant's records are not delivered, nor kept anywhere.
        case miss(Piece, tenant: String)
        /// Get what is set aside: `fetched`.
        case fetch(_ flight: Int, tenant: String)
        /// The oldest of that is done: `forgot`.
        case forget(_ flight: Int, tenant: String, count: Int)
        /// Ask the exporter what is safe: `looked`.
        case look(through: UInt64, ticks: Bool, makesRoom: Bool)
        /// Let the exporter finish: `finished`.
        case finish(through: UInt64)
        case commit(ClosedRange<UInt64>)
        case report(Report)
    }

    enum Event {
        case read([JournalRecord])
        case exported(_ flight: Int, Result<Void, ExportError>)
        /// The spans of the one record could not be told apart.
        case inseparable(_ flight: Int)
        case kept(_ flight: Int, Result<Void, LetterError>)
        case fetched(_ flight: Int, Result<[KeptRecord], LetterError>)
        case forgot(_ flight: Int, Result<Void, LetterError>)
        case looked(settled: UInt64)
        case finished(settled: UInt64)
    }

    /// For the log and the metrics.
    enum Report: Equatable {
        case refused(reason: String)
        case failed(reason: String, pause: Duration?)
        case buried(spans: Int, reason: String)
        case notKept(reason: String, pause: Duration?)
        case parked(tenant: String, reason: String)
        case unparked(tenant: String)
        case sent(spans: Int)
    }

    /// Batches that may be done beside an older one that is not. Then nothing is read until that one is done, so that
    /// one batch that is stuck does not hold ever more of the journal.
    static let maxOvertaken = 64
    /// The longest pause between two attempts to deliver to a tenant for whom the destination does not work.
    static let parkedInterval = Duration.seconds(300)

    struct Flight {
        enum Phase {
            case ready
            case waiting(until: Instant)
            case exporting(isCancelled: Bool)
            /// On its way to or from the disk.
            case storing
        }

        var shipment: Shipment
        var phase = Phase.ready
        /// Nil for records of the journal.
        var drain: Drain?
        /// Batches that were read later and are done.
        var overtaken = 0
        /// It waits since what the destination does not take could not be kept.
        var isHeld = false
    }

    /// A tenant's parked records that are tried again.
    struct Drain {
        let tenant: String
        var journal: JournalID?
        var works = true
        /// Records that are done, from the first on, and their spans.
        var records = 0
        var spans = 0
        var sentSpans = 0
    }

    let settings: Settings
    /// Gives a number in 0...1, for back-off.
    let chance: () -> Double
    var flights: [Int: Flight] = [:]
    var parked: ParkedTenants
    /// Of these, the tenants whose destination was away when it was last tried, or was not tried yet.
    var away: Set<String>
    /// Exported, or kept on disk, and not known to be safe.
    var done: [Shipment.Finished] = []
    var outbox: [Action] = []
    /// Since when the destination or the disk takes nothing.
    var failingSince: Instant?
    /// Since when the journal has something that cannot be read.
    private(set) var unreadableSince: Instant?
    /// Nothing is read before.
    private var readsPausedUntil: Instant
    /// The destination named this time: nothing is sent before.
    var pausedUntil: Instant
    /// Nil until the journal is closed; then, the end of deliveries.
    var stopAt: Instant?
    /// Something failed after the journal was closed, so nothing more is begun.
    var isGivingUp = false
    var isReading = false
    var isLooking = false
    private(set) var isFinishing = false
    var isOver = false
    /// Something was done since the exporter was last asked what is safe.
    var mustLook = false
    /// When ``actions(at:_:)`` wants to be asked again, unless an event comes before; nil is not before.
    private(set) var wakeAt: Instant?
    private var nextFlight = 0
    private var flushAt: Instant?
    private var nextTick: Instant
    private var nextRoom: Instant
    /// The last flight to begin was a drain, so that it is the journal's turn.
    private var prefersJournal = false

    /// - Parameter parked: spans that are set aside from before, by tenant.
    init(_ settings: Settings, parked: [String: Int], at now: Instant, chance: @escaping () -> Double) {
        self.settings = settings
        self.chance = chance
        self.parked = ParkedTenants(
            backoff: Backoff(
                initial: settings.retry.initialInterval, longest: max(Self.parkedInterval, settings.retry.maxInterval),
                multiplier: settings.retry.multiplier))
        away = Set(parked.keys)
        pausedUntil = now
        readsPausedUntil = now
        nextTick = now + settings.tickInterval
        nextRoom = now
        for (tenant, spans) in parked {
            _ = self.parked.add(tenant, "was parked before the start", spans: spans, due: now)
        }
    }
}

// MARK: - What is next

extension DeliveryState {
    /// What is to be done now. Ask again after each event, and at ``wakeAt``.
    mutating func actions(at now: Instant, _ journal: Journal) -> [Action] {
        wakeAt = nil
        if journal.isClosed, stopAt == nil {
            stopAt = now + (journal.isHandedOver ? Self.handover : settings.drainTimeout)
        }
        for id in flights.keys.sorted() { step(id, at: now) }
        drainParked(at: now, journal)
        readMore(at: now, journal)
        look(at: now, journal)
        finish(at: now, journal)
        defer { outbox = [] }
        return outbox
    }

    private mutating func wake(at time: Instant) {
        wakeAt = min(wakeAt ?? time, time)
    }

    private var hasFreeConsumer: Bool { flights.count + (isReading ? 1 : 0) < settings.queue.consumers }

    /// Batches that wait for room for what the destination does not take.
    var heldBatches: Int { flights.values.count(where: \.isHeld) }

    private var exportCount: Int {
        flights.values.count { if case .exporting = $0.phase { true } else { false } }
    }

    /// Who waits to try again lets a drain pass: it may be what makes room for the one who waits.
    private var hasRoomForDrain: Bool {
        let busy = flights.values.count { if case .waiting = $0.phase { $0.drain != nil } else { true } }
        return busy + (isReading ? 1 : 0) < settings.queue.consumers
    }

    private mutating func begin(_ flight: Flight) -> Int {
        nextFlight += 1
        flights[nextFlight] = flight
        return nextFlight
    }

    private mutating func step(_ id: Int, at now: Instant) {
        guard var flight = flights[id] else { return }
        switch flight.phase {
        case .ready: break
        case .storing: return
        case .waiting(let until):
            guard stopAt == nil else { return abandon(id) }
            guard until <= now else { return wake(at: until) }
        case .exporting(let isCancelled):
            guard let stopAt, !isCancelled else { return }
            guard stopAt <= now else { return wake(at: stopAt) }
            flights[id]?.phase = .exporting(isCancelled: true)
            outbox.append(.cancel(id))
            return
        }
        while let part = flight.shipment.next {
            switch part.fate {
            case .export:
                if flight.drain == nil, let (tenant, reason) = parked.find(in: part.piece.records) {
                    flight.shipment.park(tenant, reason)
                    continue
                }
                if isGivingUp || stopAt.map({ $0 <= now }) ?? false { return abandon(id) }
                if pausedUntil > now {
                    if stopAt != nil { return abandon(id) }
                    flight.phase = .waiting(until: pausedUntil)
                    wake(at: pausedUntil)
                } else if exportCount < settings.queue.consumers {
                    flight.phase = .exporting(isCancelled: false)
                    if let stopAt { wake(at: stopAt) }
                    outbox.append(.export(id, part.piece, flight.drain?.journal))
                } else {
                    // A drain has its turn. Its end is an event.
                    flight.phase = .ready
                }
            case .bury(let reason):
                flight.phase = .storing
                outbox.append(.bury(id, part.piece, flight.drain?.journal, reason: reason))
            case .park(let tenant, let reason):
                let due = now + settings.retry.initialInterval
                if parked.add(tenant, reason, due: due) { report(.parked(tenant: tenant, reason: reason)) }
                parked.beginWrite(tenant)
                flight.phase = .storing
                outbox.append(.park(id, part.piece, tenant: tenant, reason: reason))
            }
            flights[id] = flight
            return
        }
        flights[id] = flight
        land(id, at: now)
    }

    /// What is not done stays where it is for the next start.
    mutating func abandon(_ id: Int) {
        guard flights[id]?.drain == nil else { return endDrain(id) }
        isGivingUp = true
        flights[id] = nil
    }

    private mutating func drainParked(at now: Instant, _ journal: Journal) {
        guard stopAt == nil, hasRoomForDrain, let due = parked.nextDue else { return }
        if prefersJournal, journal.bytes > 0, hasFreeConsumer { return }
        guard let tenant = parked.beginDrain(at: now) else { return wake(at: due) }
        prefersJournal = true
        var flight = Flight(shipment: shipment([]))
        flight.phase = .storing
        flight.drain = Drain(tenant: tenant)
        outbox.append(.fetch(begin(flight), tenant: tenant))
    }

    func shipment(_ records: [JournalRecord]) -> Shipment {
        Shipment(records, splitsRecords: settings.splitsRecords, backoff: Backoff(settings.retry))
    }

    private mutating func readMore(at now: Instant, _ journal: Journal) {
        guard !isReading else { return }
        guard journal.bytes > 0 else {
            (flushAt, unreadableSince) = (nil, nil)
            return
        }
        if let stopAt, isGivingUp || stopAt <= now { return }
        let due = flushAt ?? now + settings.queue.flushTimeout
        flushAt = due
        guard hasFreeConsumer, !flights.values.contains(where: { $0.overtaken >= Self.maxOvertaken }) else { return }
        if pausedUntil > now {
            // At the end there is no time to wait for that.
            if stopAt != nil { isGivingUp = true }
            return wake(at: pausedUntil)
        }
        // The journal had something to say and then nothing to give; that must not become a loop without a pause.
        guard readsPausedUntil <= now else { return wake(at: readsPausedUntil) }
        let isFull = journal.spans >= settings.queue.maxSpans || journal.bytes >= settings.queue.maxBytes
        guard isFull || journal.isClosed || due <= now else { return wake(at: due) }
        isReading = true
        prefersJournal = false
        outbox.append(.read)
    }

    mutating func read(_ records: [JournalRecord], at now: Instant) {
        isReading = false
        guard !records.isEmpty else {
            readsPausedUntil = now + max(settings.queue.flushTimeout, .milliseconds(10))
            unreadableSince = unreadableSince ?? now
            return
        }
        (flushAt, unreadableSince) = (nil, nil)
        // What lies between two records is the journal's: it says what is gone, and what cannot be opened now stays.
        _ = begin(Flight(shipment: shipment(records)))
    }

    private mutating func look(at now: Instant, _ journal: Journal) {
        guard !isLooking, !isFinishing else { return }
        let ticks = nextTick <= now
        let makesRoom = journal.needsRoom && !done.isEmpty && nextRoom <= now
        if ticks { nextTick = now + settings.tickInterval }
        if makesRoom { nextRoom = now + settings.tickInterval }
        guard ticks || makesRoom || mustLook else { return wake(at: nextTick) }
        mustLook = false
        isLooking = true
        outbox.append(.look(through: lastDone, ticks: ticks, makesRoom: makesRoom))
    }

    private var lastDone: UInt64 { done.map(\.sequences.upperBound).max() ?? 0 }

    private mutating func finish(at now: Instant, _ journal: Journal) {
        guard let stopAt, flights.isEmpty, !isLooking, !isReading, !isFinishing else { return }
        guard journal.bytes == 0 || isGivingUp || stopAt <= now else { return }
        isFinishing = true
        outbox.append(.finish(through: lastDone))
    }

    mutating func report(_ report: Report) {
        outbox.append(.report(report))
    }
}

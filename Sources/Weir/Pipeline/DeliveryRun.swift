/// One run of a delivery. Whatever may take long is done by a task of its own, whose end is an event.
struct DeliveryRun {
    private let delivery: Delivery
    private let inbox: DeliveryInbox
    private var state: DeliveryState
    private var exports: [Int: Task<Void, Never>] = [:]

    init(_ delivery: Delivery, _ state: DeliveryState) {
        self.delivery = delivery
        self.state = state
        inbox = DeliveryInbox(wake: delivery.reader.wake)
    }

    mutating func run() async {
        let reader = delivery.reader
        while true {
            for event in inbox.take() {
                if case .exported(let id, _) = event { exports[id] = nil }
                state.handle(event, at: .now)
            }
            let waiting = reader.waiting
            let actions = state.actions(
                at: .now,
                DeliveryState.Journal(
                    spans: waiting.spans, bytes: waiting.bytes, isClosed: waiting.isClosed, needsRoom: reader.needsRoom,
                    isHandedOver: waiting.isHandedOver)
            )
            for action in actions { await perform(action) }
            delivery.telemetry.show(state, awaitsKeySince: reader.awaitsKeySince, at: .now)
            guard actions.isEmpty else { continue }
            if state.isOver { return }
            await reader.wait(for: state.wakeAt.map { max(.zero, $0 - .now) })
        }
    }

    private mutating func perform(_ action: DeliveryState.Action) async {
        let (exporter, letters) = (delivery.attempt.exporter, delivery.letters)
        switch action {
        case .read:
            let (inbox, reader, queue) = (inbox, delivery.reader, state.settings.queue)
            // A disk may hang, and a key be away for long.
            Task { inbox.put(.read(await reader.read(maxSpans: queue.maxSpans, maxBytes: queue.maxBytes))) }
        case .export(let id, let piece, let journal): export(id, piece, journal)
        case .cancel(let id): exports[id]?.cancel()
        case .bury(let id, let piece, let journal, let reason):
            let make = letterMaker(piece, journal, reason)
            store { () throws(LetterError) in
                try await letters.bury(make())
            } then: {
                .kept(id, $0)
            }
        case .park(let id, let piece, let tenant, let reason):
            let make = letterMaker(piece, nil, reason)
            store { () throws(LetterError) in
                try await letters.park(make(), of: tenant)
            } then: {
                .kept(id, $0)
            }
        case .miss(let piece, let tenant): delivery.reader.miss(piece.records, spans: piece.spanCount, of: tenant)
        case .fetch(let id, let tenant):
            let queue = state.settings.queue
            store { () throws(LetterError) in
                try await letters.parked(of: tenant, maxSpans: queue.maxSpans, maxBytes: queue.maxBytes)
            } then: {
                .fetched(id, $0)
            }
        case .forget(let id, let tenant, let count):
            store { () throws(LetterError) in
                try await letters.forget(count, of: tenant)
            } then: {
                .forgot(id, $0)
            }
        case .look(let last, let ticks, let makesRoom):
            let (inbox, now) = (inbox, delivery.now)
            Task {
                if ticks { await exporter.tick(at: now()) }
                if makesRoom { await exporter.settle() }
                inbox.put(.looked(settled: await exporter.settled(through: last)))
            }
        case .finish(let last):
            await exporter.finish()
            state.handle(.finished(settled: await exporter.settled(through: last)), at: .now)
        case .commit(let sequences): delivery.reader.commit(sequences)
        case .report(let report): delivery.tell(report)
        }
    }

    private mutating func export(_ id: Int, _ piece: Piece, _ journal: JournalID?) {
        let (inbox, attempt, reader) = (inbox, delivery.attempt, delivery.reader)
        exports[id] = Task {
            guard let records = piece.cut() else { return inbox.put(.inseparable(id)) }
            // Of what comes from the disk, nobody knows how far an earlier attempt got.
            let batch = FrozenBatch(
                journal: journal ?? reader.journal, records: records,
                recoveredThrough: journal == nil ? reader.recoveredThrough : .max)
            inbox.put(.exported(id, await attempt.export(batch)))
        }
    }

    private func store<Value: Sendable>(
        _ work: @escaping @Sendable () async throws(LetterError) -> Value,
        then event: @escaping @Sendable (Result<Value, LetterError>) -> DeliveryState.Event
    ) {
        let inbox = inbox
        Task {
            do throws(LetterError) {
                inbox.put(event(.success(try await work())))
            } catch {
                inbox.put(event(.failure(error)))
            }
        }
    }

    private func letterMaker(_ piece: Piece, _ journal: JournalID?, _ reason: String) -> @Sendable () -> [Letter] {
        let journal = journal ?? delivery.reader.journal
        let (time, exporter) = (delivery.now(), delivery.id.description)
        return {
            // What could not be cut never was, so it is there as a whole.
            (piece.cut() ?? Array(piece.records)).map {
                Letter(
                    time: time, exporter: exporter, reason: reason, kept: KeptRecord(journal: journal, record: $0))
            }
        }
    }
}

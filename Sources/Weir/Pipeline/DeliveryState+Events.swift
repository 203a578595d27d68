/// How things ended.
extension DeliveryState {
    mutating func handle(_ event: Event, at now: Instant) {
        switch event {
        case .read(let records): read(records, at: now)
        case .exported(let id, .success): succeed(id)
        case .exported(let id, .failure(let error)): fail(id, error, at: now)
        case .inseparable(let id):
            flights[id]?.shipment.refuseWhole()
            flights[id]?.phase = .ready
        case .kept(let id, .success): keep(id)
        case .kept(let id, .failure(let error)): notKept(id, error, at: now)
        case .fetched(let id, let result): fetch(id, result, at: now)
        case .forgot(let id, let result): forget(id, result, at: now)
        case .looked(let settled):
            isLooking = false
            commit(through: settled)
        case .finished(let settled):
            isOver = true
            commit(through: settled)
        }
    }

    private mutating func succeed(_ id: Int) {
        failingSince = nil
        guard var flight = flights[id] else { return }
        flight.isHeld = false
        for finished in flight.shipment.finish() {
            guard flight.drain != nil else {
                done.append(finished)
                mustLook = true
                continue
            }
            flight.drain?.records += finished.sequences.count
            flight.drain?.spans += finished.spans
            flight.drain?.sentSpans += finished.sentSpans
        }
        flight.phase = .ready
        flights[id] = flight
    }

    private mutating func fail(_ id: Int, _ error: ExportError, at now: Instant) {
        guard var flight = flights[id] else { return }
        switch error {
        case .rejected(let reason):
            report(.refused(reason: reason))
            flight.shipment.refuse(reason)
        case .tenantBlocked(let tenant, let reason), .tenantAway(let tenant, let reason):
            if case .tenantAway = error { away.insert(tenant) } else { away.remove(tenant) }
            report(.failed(reason: reason, pause: nil))
            if flight.drain != nil { return endDrain(id) }
            // An exporter that blames a tenant who is not among them is not believed.
            guard flight.shipment.park(tenant, reason) else { return retry(id, reason, nil, at: now) }
        case .retryable(let reason, let after):
            return retry(id, reason, after, at: now)
        }
        flight.phase = .ready
        flights[id] = flight
    }

    private mutating func retry(_ id: Int, _ reason: String, _ after: Duration?, at now: Instant) {
        guard var flight = flights[id] else { return }
        failingSince = failingSince ?? now
        if let after { pausedUntil = max(pausedUntil, now + min(after, Backoff.longestNamedPause)) }
        if stopAt != nil || flight.drain != nil {
            report(.failed(reason: reason, pause: nil))
            return flight.drain == nil ? abandon(id) : endDrain(id)
        }
        let since = flight.shipment.failingSince ?? now
        let limit = settings.retry.maxElapsedTime
        if !settings.retry.isEnabled || limit > .zero && now - since >= limit {
            report(.failed(reason: reason, pause: nil))
            flight.shipment.giveUp(reason)
            flight.phase = .ready
        } else {
            let pause = flight.shipment.backoff.next(named: after, chance: chance())
            report(.failed(reason: reason, pause: pause))
            flight.shipment.failingSince = since
            flight.phase = .waiting(until: now + pause)
        }
        flights[id] = flight
    }

    private mutating func keep(_ id: Int) {
        guard let part = flights[id]?.shipment.next else { return }
        switch part.fate {
        case .export: break
        case .bury(let reason): report(.buried(spans: part.piece.spanCount, reason: reason))
        case .park(let tenant, _): parked.endWrite(tenant, spans: part.piece.spanCount)
        }
        succeed(id)
    }

    /// There is no room on the disk, or none that may be used. Nothing is dropped for it: the flight waits. Only where
    /// there are as many dead letters of a tenant as there may be, or records set aside, more of that tenant are
    /// missed, unless its destination is just away.
    private mutating func notKept(_ id: Int, _ error: LetterError, at now: Instant) {
        guard var flight = flights[id], let part = flight.shipment.next else { return }
        // Were a tenant to wait for room of its own, the others would wait with it, and the journal would fill up for
        // all.
        switch part.fate {
        case .export: break
        case .bury:
            guard error.isLimit else { break }
            if flight.shipment.separateTenants() {
                flight.phase = .ready
                flights[id] = flight
                return
            }
            if let tenant = part.piece.records.first?.tenant { outbox.append(.miss(part.piece, tenant: tenant)) }
            return succeed(id)
        case .park(let tenant, _):
            parked.endWrite(tenant, spans: nil)
            if error.isLimit, !away.contains(tenant) {
                outbox.append(.miss(part.piece, tenant: tenant))
                return succeed(id)
            }
            flight.shipment.exportAfterAll()
        }
        failingSince = failingSince ?? now
        guard stopAt == nil else {
            report(.notKept(reason: error.description, pause: nil))
            return abandon(id)
        }
        let pause = flight.shipment.backoff.next(chance: chance())
        report(.notKept(reason: error.description, pause: pause))
        flight.phase = .waiting(until: now + pause)
        flight.isHeld = true
        flights[id] = flight
    }

    private mutating func commit(through settled: UInt64) {
        let safe = done.filter { $0.sequences.upperBound <= settled }
        guard !safe.isEmpty else { return }
        done.removeAll { $0.sequences.upperBound <= settled }
        var runs: [Shipment.Finished] = []
        for finished in safe.sorted(by: { $0.sequences.lowerBound < $1.sequences.lowerBound }) {
            if let longer = runs.last?.followed(by: finished) {
                runs[runs.count - 1] = longer
            } else {
                runs.append(finished)
            }
        }
        for run in runs { outbox.append(.commit(run.sequences)) }
        sent(safe.reduce(0) { $0 + $1.sentSpans })
    }

    private mutating func sent(_ spans: Int) {
        if spans > 0 { report(.sent(spans: spans)) }
    }
}

// MARK: - Parked tenants

extension DeliveryState {
    /// All that the flight had to do is done.
    mutating func land(_ id: Int, at now: Instant) {
        guard flights[id]?.drain == nil else { return endDrain(id) }
        flights[id] = nil
        for (other, flight) in flights where other < id && flight.drain == nil {
            // What this one waits for may be in a batch that is not read yet.
            if settings.waitsForLater, case .exporting = flight.phase { continue }
            flights[other]?.overtaken += 1
        }
    }

    private mutating func fetch(_ id: Int, _ result: Result<[KeptRecord], LetterError>, at now: Instant) {
        guard var flight = flights[id], let tenant = flight.drain?.tenant else { return }
        switch result {
        case .success(let records):
            guard let first = records.first else {
                flights[id] = nil
                let isOver = parked.endEmptyDrain(tenant, at: now, chance: chance())
                guard isOver else { return }
                away.remove(tenant)
                report(.unparked(tenant: tenant))
                return
            }
            flight.drain?.journal = first.journal
            flight.shipment = shipment(records.prefix { $0.journal == first.journal }.map(\.record))
            flight.phase = .ready
            flights[id] = flight
        case .failure(let error):
            report(.notKept(reason: error.description, pause: nil))
            flights[id] = nil
            parked.endDrain(tenant, spans: 0, works: false, at: now, chance: chance())
        }
    }

    /// What is left stays where it is. What is done must be forgotten first.
    mutating func endDrain(_ id: Int) {
        guard let flight = flights[id], let drain = flight.drain else { return }
        flights[id]?.drain?.works = flight.shipment.next == nil
        flights[id]?.phase = .storing
        outbox.append(.forget(id, tenant: drain.tenant, count: drain.records))
    }

    private mutating func forget(_ id: Int, _ result: Result<Void, LetterError>, at now: Instant) {
        guard let drain = flights.removeValue(forKey: id)?.drain else { return }
        switch result {
        case .success:
            sent(drain.sentSpans)
            parked.endDrain(drain.tenant, spans: drain.spans, works: drain.works, at: now, chance: chance())
        case .failure(let error):
            report(.notKept(reason: error.description, pause: nil))
            parked.endDrain(drain.tenant, spans: 0, works: false, at: now, chance: chance())
        }
    }
}

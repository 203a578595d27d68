// When traces are decided, and when records leave.
extension TraceWindow {
    /// Decides what is due.
    /// - Parameter isOverloaded: everything is decided at once, with what is known of it and without gathering for
    ///   limiters.
    mutating func decide(at now: Timestamp, isOverloaded: Bool = false) {
        while let alarm = alarms.first, isOverloaded || alarm.time <= now {
            guard let slot = takeAlarm() else { continue }
            let (time, cause) = due(slot)
            guard isOverloaded || time <= now else {
                setAlarm(slot, at: time)
                continue
            }
            isOverloaded ? hurry(slot, .overload, at: now) : settle(slot, cause, due: time, at: now)
        }
        // Those that are due first have the most of what they will ever have.
        while openTraces - pending.count > settings.maxTraces { guard decideEarly(.traceCount, at: now) else { break } }
        if memory > settings.maxMemory {
            // What they take is free once their records leave, so not all at once.
            for _ in 0...openTraces / 8 { guard decideEarly(.memory, at: now) else { break } }
        }
        if let due = policies.due, due <= now || isOverloaded || memory > settings.maxMemory { closeLimiters(at: now) }
    }

    /// When there is something to decide or to send off, if nothing else comes.
    func nextDue(at now: Timestamp) -> Timestamp? {
        var times = [nextDecision].compactMap(\.self)
        if let front = records.first { times.append(front.since.advanced(by: settings.forwardAfter)) }
        return times.min()
    }

    /// When there is something to decide.
    var nextDecision: Timestamp? { [alarms.first?.time, policies.due].compactMap(\.self).min() }

    /// An open trace that is not waiting for limiters.
    private mutating func takeAlarm() -> Int32? {
        guard let alarm = alarms.removeFirst() else { return nil }
        let trace = slots[Int(alarm.slot)]
        guard trace.generation == alarm.generation, trace.decision == nil, trace.pending == nil else { return nil }
        return alarm.slot
    }

    private mutating func decideEarly(_ cause: DecisionCause, at now: Timestamp) -> Bool {
        while alarms.first != nil {
            if let slot = takeAlarm() {
                settle(slot, cause, due: now, at: now)
                return true
            }
        }
        return false
    }

    private mutating func hurry(_ slot: Int32, _ cause: DecisionCause, at now: Timestamp) {
        let trace = slots[Int(slot)]
        finish(slot, policies.answer(on: trace.summary, of: trace.key.tenant), cause, due: now, at: now)
    }

    private mutating func closeLimiters(at now: Timestamp) {
        policies.close(at: now)
        let waiting = pending
        pending = []
        for slot in waiting {
            let trace = slots[Int(slot)]
            guard trace.decision == nil, let (cause, due) = trace.pending else { continue }
            // A limiter gathers for a second; that is no delay.
            let end = min(now, due.advanced(by: SampleLimiter.interval))
            finish(slot, policies.answer(on: trace.summary, of: trace.key.tenant), cause, due: end, at: now)
        }
    }
}

// MARK: - Records

extension TraceWindow {
    /// How many records can leave, from the first on: they are decided, or have waited for long enough.
    mutating func readyRecords(at now: Timestamp, limit: Int) -> Int {
        var count = 0
        while count < min(limit, records.count) {
            let isOld = records[count].since.advanced(by: settings.forwardAfter) <= now
            guard isOld || isDecided(count) else { break }
            count += 1
        }
        return count
    }

    private mutating func isDecided(_ place: Int) -> Bool {
        while records[place].checked < records[place].slots.count {
            guard slots[Int(records[place].slots[records[place].checked])].decision != nil else { return false }
            records[place].checked += 1
        }
        return true
    }

    /// Those traces of a record that are not decided.
    func openTraces(in record: Record) -> Set<TraceID> {
        Set(record.slots.lazy.map { slots[Int($0)] }.filter { $0.decision == nil }.map(\.key.id))
    }

    /// The decisions about a record's traces that no record of the second journal says yet.
    func newDecisions(in record: Record) -> [RecordOrigin.Decision] {
        record.slots.compactMap { slot in
            let trace = slots[Int(slot)]
            guard let decision = trace.decision, !trace.isNoted else { return nil }
            return RecordOrigin.Decision(
                trace: trace.key.id, threshold: decision.threshold, isKept: decision.isKept, rule: names[decision.rule])
        }
    }
}

// What was not kept, and is wanted after all.
extension TailSamplingRun {
    /// The rule of spans that were called back.
    static let promoted = "promoted"
    /// Of the lines that say which, in bytes.
    static let promotedBytes = 64 << 20

    /// Above this, those are forgotten that the ring does not have any more.
    static let maximumPromoted = 10_000

    /// Traces that others keep, until the ring has been looked through for them.
    static let maximumMissed = 10_000
    /// How often that is done, since each time a part of the ring is read, and how far back: others that are later
    /// than that are not waited for.
    static let missedInterval: UInt64 = 5_000_000_000
    static let missedReach: UInt64 = 60_000_000_000

    /// A trace's spans in one record of the ring, whose tenant is the trace's.
    struct Place: Hashable {
        let sequence: UInt64
        let trace: TraceID
    }

    /// Where there is to be a ring and is none yet: another stage may have it still, as the one that a reload puts this
    /// one in place of, or its directory cannot be used.
    func openRing() {
        guard ring == nil, let recall else { return }
        let journals = [course.source.journal, course.target.journal]
        do throws(DiskError) {
            let opened = try RecallRing(
                recall, beside: course.directory,
                leaving: journals[0].limits.minFreeBytes + journals.reduce(0) { $0 + $1.limits.segmentBytes },
                codec: course.target.journal.codec, logger)
            ring = opened
            keeping = Task { await opened.run() }
            telemetry.noteNoRecall(nil)
            readPromoted(opened.promoted)
            for origin in strangeOrigins { noteStrange(origin) }
            strangeOrigins = []
        } catch {
            telemetry.noteNoRecall("\(error)")
        }
    }

    func closeRing() async {
        ring?.close()
        keeping?.cancel()
        await keeping?.value
    }

    /// Answers those who ask, and stores what an incident wants and others keep.
    func recallIfDue(_ ring: RecallRing) async {
        // Else it would come again after the next start.
        guard canKeepPromoted else { return }
        if promotedPlaces.count > Self.maximumPromoted {
            let first = ring.first
            promotedPlaces = promotedPlaces.filter { $0.sequence >= first }
        }
        await attempt { try await answer(ring) }
        await attempt { try await recallForBurst(ring) }
        await attempt { try await recallMissed(ring) }
    }

    /// What cannot be done keeps nothing else from being done.
    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            // Who asked is answered after the next start.
        } catch {
            telemetry.noteTrouble("cannot call back what was not kept", error)
        }
    }

    private func answer(_ ring: RecallRing) async throws {
        let requests = RecallRequests(ring.directory)
        for request in try requests.waiting() {
            try Task.checkCancellation()
            await attempt {
                let traces = try await traces(request, in: ring)
                if !request.wasBegun { try requests.begin(request) }
                // What was called back when it was begun is its own, whatever has kept it from being answered.
                let answer = try await promote(traces, from: ring, again: request.wasBegun)
                logger.notice(
                    "called spans back", metadata: ["traces": "\(answer.traces)", "spans": "\(answer.spans)"])
                try requests.answer(request.token, with: answer)
            }
        }
    }

    /// - Returns: which of a tenant's traces are wanted.
    private func traces(
        _ request: RecallRequests.Request, in ring: RecallRing
    ) async throws -> (_ tenant: String) -> Set<TraceID> {
        switch request.wish {
        case .trace(let trace): return { tenant in request.isFor(tenant) ? [trace] : [] }
        case .condition(let text):
            guard let condition = try? Condition(parsing: text) else { return { _ in [] } }
            var found: [String: Set<TraceID>] = [:]
            try await forEachRecord(of: ring, from: ring.first) { record in
                guard request.isFor(record.tenant) else { return true }
                found[record.tenant, default: []].formUnion(try splitter.traces(of: record, where: condition))
                return true
            }
            return { [found] tenant in found[tenant] ?? [] }
        }
    }

    /// - Parameter body: returns whether to go on.
    private func forEachRecord(
        of ring: RecallRing, from first: UInt64, _ body: (JournalRecord) async throws -> Bool
    ) async throws {
        var (position, sealed) = (first, 0)
        defer {
            if sealed > 0 {
                telemetry.noteTrouble("left out records of the ring whose keys are away", "\(sealed) records")
            }
        }
        while true {
            let again = try await ring.read(from: position, at: course.now())
            try Task.checkCancellation()
            if again.next == position { return }
            sealed += again.sealed
            for record in again.records {
                do {
                    guard try await body(record) else { return }
                } catch let error as DecodeError {
                    telemetry.noteTrouble("left a record of the ring where it is, which cannot be decoded", error)
                } catch Refusal.tooLarge(let reason) {
                    telemetry.noteTrouble("left a record of the ring where it is, which is too large", reason)
                }
            }
            position = again.next
        }
    }

    /// - Parameter again: whether what was called back before counts.
    private func promote(
        _ traces: (_ tenant: String) -> Set<TraceID>, from ring: RecallRing, again: Bool
    ) async throws -> RecallRequests.Answer {
        var answer = RecallRequests.Answer()
        var found: Set<TenantTrace> = []
        try await forEachRecord(of: ring, from: ring.first) { record in
            let wanted = traces(record.tenant)
            if again {
                let before = try splitter.spans(of: record, of: wanted.filter { isPromoted($0, in: record) })
                found.formUnion(before.keys.map { TenantTrace(record.tenant, $0) })
                answer.spans += before.values.reduce(0, +)
            }
            let (here, spans) = try await promote(wanted, of: record, ring)
            found.formUnion(here.map { TenantTrace(record.tenant, $0) })
            answer.spans += spans
            return true
        }
        answer.traces = found.count
        return answer
    }

    /// What of these traces is in a record of the ring and has not been called back.
    /// - Parameter kept: how others keep them; the rest was chosen by a person, or an incident.
    private func promote(
        _ traces: Set<TraceID>, of record: JournalRecord, _ ring: RecallRing, as kept: [TraceID: KeptTrace] = [:]
    ) async throws -> (traces: Set<TraceID>, spans: Int) {
        let wanted = traces.filter { !isPromoted($0, in: record) }
        guard !wanted.isEmpty, let (entry, here) = try splitter.promote(wanted, of: record, as: kept) else {
            return ([], 0)
        }
        _ = try await course.target.journal.append(promoted(entry, here, of: record, ring))
        promotedPlaces.formUnion(here.map { Place(sequence: record.sequence, trace: $0) })
        hasNews = true
        return (here, entry.spanCount)
    }

    private func isPromoted(_ trace: TraceID, in record: JournalRecord) -> Bool {
        promotedPlaces.contains(Place(sequence: record.sequence, trace: trace))
    }

    private func promoted(
        _ entry: JournalEntry, _ traces: Set<TraceID>, of record: JournalRecord, _ ring: RecallRing
    ) -> JournalEntry {
        var entry = entry
        // What samplers behind the stage leave out of it was counted when it was left out here.
        entry.section = RecordSection()
        entry.section.add(.promoted, UnsafeRawBufferPointer(start: nil, count: 0))
        let sorted = traces.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
        entry.section.add(
            RecordOrigin(
                ring.id, record.sequence...record.sequence,
                decisions: sorted.map {
                    RecordOrigin.Decision(trace: $0, threshold: .always, isKept: true, rule: Self.promoted)
                }))
        return entry
    }

    /// What an earlier process has called back.
    private func readPromoted(_ lines: RecentLines) {
        do throws(FileError) {
            try lines.forEach { line in
                let parts = line.split(separator: UInt8(ascii: " "))
                guard parts.count == 2, let sequence = UInt64(String(decoding: parts[0], as: UTF8.self)),
                    let trace = TraceID(String(decoding: parts[1], as: UTF8.self))
                else { return }
                promotedPlaces.insert(Place(sequence: sequence, trace: trace))
            }
        } catch {
            telemetry.noteTrouble("cannot read what was called back", error)
        }
    }

    /// A record of the second journal that comes from another one than the first: the ring, or a journal that is gone.
    func noteStrange(_ origin: RecordOrigin) {
        guard let ring else {
            if recall != nil { strangeOrigins.append(origin) }
            return
        }
        guard origin.journal == ring.id else { return }
        for decision in origin.decisions {
            let sequence = origin.sequences.lowerBound
            promotedPlaces.insert(Place(sequence: sequence, trace: decision.trace))
            promotedLines += "\(sequence) \(decision.trace.text)\n".utf8
        }
    }
}

extension TailSamplingRun {
    /// Writes down what was called back. The ring promises nothing: where it cannot be written, nothing waits for it,
    /// and nothing more is called back.
    func keepPromoted() {
        guard let ring else { return }
        do throws(FileError) {
            try ring.promoted.append(promotedLines)
            promotedLines = []
            canKeepPromoted = true
            telemetry.noteNoRecall(nil)
        } catch {
            canKeepPromoted = false
            telemetry.noteNoRecall("what was called back cannot be written down: \(error)")
            guard promotedLines.count > Self.promotedBytes else { return }
            // The oldest go first, as in the file.
            let newest = promotedLines.suffix(Self.promotedBytes).drop { $0 != UInt8(ascii: "\n") }
            promotedLines = Array(newest.dropFirst())
        }
    }
}

// MARK: - Without being asked

extension TailSamplingRun {
    /// Whatever decides about traces does so in a burst, if there is one.
    func withBurst(_ body: () -> Void) {
        window.burst = bursts.lease(of: id, bytes: Self.burstBytes, at: course.now())
        body()
        if let lease = window.burst { bursts.end(lease) }
        window.burst = nil
    }

    /// When a burst begins, what was left out just before is wanted too, as far as its budget goes: the newest of it.
    private func recallForBurst(_ ring: RecallRing) async throws {
        guard let burst = bursts.status(at: course.now()).first(where: { $0.processor == id })?.burst,
            burst.id != burstRecalled
        else { return }
        burstRecalled = burst.id
        var answer = RecallRequests.Answer()
        var found: Set<TenantTrace> = []
        let load = ring.load
        let end = ring.first + UInt64(load.records)
        // The other half is for what is to come.
        var left = (burst.budget - burst.spent) / 2
        // Records are of about one size.
        let share = min(1, Double(left) / Double(max(1, load.bytes)))
        try await forEachRecord(of: ring, from: ring.first + UInt64(Double(load.records) * (1 - share))) { record in
            left -= record.payload.count
            // What came since is decided with the burst.
            guard record.sequence < end, left >= 0,
                var lease = bursts.lease(of: id, bytes: record.payload.count, at: course.now())
            else { return false }
            defer { bursts.end(lease) }
            let rules = try splitter.traces(of: record).map { trace in
                let decision = window.cache[TenantTrace(record.tenant, trace)]
                return (trace: trace, rule: decision.map { window.names[$0.rule] } ?? "")
            }.filter { lease.isFor($0.rule) }
            guard let rule = rules.first?.rule, lease.take(record.payload.count, for: rule) else { return true }
            let (here, spans) = try await promote(Set(rules.map(\.trace)), of: record, ring)
            found.formUnion(here.map { TenantTrace(record.tenant, $0) })
            answer.spans += spans
            return true
        }
        answer.traces = found.count
        logger.notice(
            "called spans back for a burst",
            metadata: ["began": "\(burst.id)", "traces": "\(answer.traces)", "spans": "\(answer.spans)"])
    }

    /// What others keep was left out here before they said so.
    private func recallMissed(_ ring: RecallRing) async throws {
        guard !missed.isEmpty, now.nanoseconds - lastMissed.nanoseconds >= Self.missedInterval else { return }
        lastMissed = now
        let wanted = Dictionary(grouping: missed.values, by: \.trace.tenant).mapValues { kept in
            Dictionary(uniqueKeysWithValues: kept.map { ($0.trace.id, $0) })
        }
        missed = [:]
        let reach = course.now().nanoseconds - min(course.now().nanoseconds, Self.missedReach)
        try await forEachRecord(of: ring, from: ring.first(since: Timestamp(nanoseconds: reach))) { record in
            let kept = wanted[TenantTrace.number(of: record.tenant)] ?? [:]
            _ = try await promote(Set(kept.keys), of: record, ring, as: kept)
            return true
        }
    }
}

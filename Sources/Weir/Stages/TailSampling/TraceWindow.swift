import DequeModule

/// The traces that are not decided yet, the decisions of those that are, and the records of the journal that hold their
/// spans, in order. No I/O; time is an argument.
///
/// Spans stay in the journal. Of a trace a summary is kept, of a record which traces it has. A record leaves in its
/// turn, once all its traces are decided or it has waited for long enough; then the spans of those that are open have
/// to be copied to the journal's end first. So no trace holds the journal up.
struct TraceWindow {
    /// Times in nanoseconds.
    struct Settings: Sendable {
        var decisionWait: UInt64 = 30_000_000_000
        /// Nil: roots are not looked at.
        var rootWait: UInt64? = 2_000_000_000
        /// Nil: silence is not looked at.
        var idle: UInt64?
        var maxTraces = 200_000
        var maxSpans = 10_000
        /// Bytes, by estimate.
        var maxMemory = 256 << 20
        var forwardAfter: UInt64 = 10_000_000_000
    }

    /// A trace that was decided, for those who count.
    struct Decided: Equatable {
        let trace: TenantTrace
        let decision: TraceDecision
        let cause: DecisionCause
        let spans: Int
        /// Nanoseconds since it was due.
        let delay: UInt64
    }

    struct Trace {
        var key: TenantTrace
        var firstSeen: Timestamp
        var lastSeen: Timestamp
        var rootSeen: Timestamp?
        var summary: TraceSummary
        var decision: TraceDecision?
        /// It is due, and waits for limiters.
        var pending: (cause: DecisionCause, due: Timestamp)?
        /// A record of the second journal says what was decided.
        var isNoted = false
        /// Copies of its spans that are on their way to the journal's end.
        var copies: Int32 = 0
        /// Records that hold spans of it, and the last of them.
        var records: Int32 = 0
        var lastRecord: UInt64 = 0
        /// Tells the traces apart that have had this slot.
        var generation: UInt32
    }

    struct Record {
        let sequence: UInt64
        /// All its traces are of that one; see ``TenantTrace``.
        let tenant: Int
        let spans: Int
        let since: Timestamp
        /// Of its traces, each once.
        var slots: [Int32] = []
        /// Those in front are decided.
        var checked = 0
        /// Traces whose spans were copied to the journal's end, and must not leave with this record.
        var moved: Set<TraceID> = []
    }

    /// The rule of traces that are kept because of a burst alone.
    static let burstRule = "burst"

    /// Bytes, by estimate: the slot, its place in the index and its alarms; a record.
    static let traceBytes = 300
    static let recordBytes = 128

    let settings: Settings
    var policies: TailPolicies
    var names = RuleNames()
    /// Of the policies, in their order, by ``names``.
    private var rules: [UInt16] = []
    var cache: DecisionCache
    var slots: [Trace] = []
    private var freeSlots: [Int32] = []
    private(set) var index: [TenantTrace: Int32] = [:]
    var alarms = AlarmQueue()
    /// Traces that wait for limiters.
    var pending: [Int32] = []
    var records: Deque<Record> = []
    private(set) var openTraces = 0
    private var tracesOfRecords = 0
    private(set) var lateSpans = 0
    /// What may be kept beside what policies keep, while there is a burst.
    var burst: Burst.Lease?
    private var decided: [Decided] = []
    /// The trace of the last span of the last record: those of one mostly come together.
    private var latest: (id: TraceID, slot: Int32)?

    init(_ settings: Settings, _ policies: TailPolicies, keptDecisions: Int, droppedDecisions: Int) {
        self.settings = settings
        self.policies = policies
        cache = DecisionCache(kept: keptDecisions, dropped: droppedDecisions)
        for policy in policies.policies { rules.append(names.number(of: policy.name)) }
    }

    /// Bytes, by estimate.
    var memory: Int { index.count * Self.traceBytes + records.count * Self.recordBytes + tracesOfRecords * 4 }

    /// Traces that were decided since this was asked last.
    mutating func takeDecided() -> [Decided] {
        defer { decided.removeAll(keepingCapacity: true) }
        return decided
    }

    /// What an earlier process has decided.
    mutating func remember(_ decision: RecordOrigin.Decision, of tenant: String) {
        cache.add(
            TenantTrace(tenant, decision.trace),
            TraceDecision(
                threshold: decision.threshold, isKept: decision.isKept, rule: names.number(of: decision.rule)))
    }

    // MARK: - What comes in

    /// The spans that follow stand in this record.
    mutating func begin(record sequence: UInt64, of tenant: String, spans: Int = 1, at now: Timestamp) {
        records.append(
            Record(sequence: sequence, tenant: TenantTrace.number(of: tenant), spans: spans, since: now))
        latest = nil
    }

    /// The slot of a span's trace, which is from now on one of the record's.
    /// - Parameter firstSeen: when its first span came, if this is it.
    mutating func slot(
        of id: TraceID, _ randomness: SamplingRandomness, firstSeen: Timestamp, at now: Timestamp
    ) -> Int32 {
        if let latest, latest.id == id { return latest.slot }
        let key = TenantTrace(tenant: records.last?.tenant ?? 0, id: id)
        let slot = index[key] ?? make(key, randomness, firstSeen: firstSeen, at: now)
        latest = (id, slot)
        guard let record = records.last, slots[Int(slot)].lastRecord != record.sequence else { return slot }
        slots[Int(slot)].lastRecord = record.sequence
        slots[Int(slot)].records += 1
        records[records.count - 1].slots.append(slot)
        tracesOfRecords += 1
        return slot
    }

    private mutating func make(
        _ key: TenantTrace, _ randomness: SamplingRandomness, firstSeen: Timestamp, at now: Timestamp
    ) -> Int32 {
        let slot = freeSlots.popLast() ?? Int32(slots.count)
        let generation = Int(slot) < slots.count ? slots[Int(slot)].generation &+ 1 : 0
        var trace = Trace(
            key: key, firstSeen: min(firstSeen, now), lastSeen: now, summary: TraceSummary(randomness),
            generation: generation)
        if let decision = cache[key] {
            trace.decision = decision
            trace.isNoted = !decision.isHeard
        } else {
            openTraces += 1
        }
        if Int(slot) < slots.count { slots[Int(slot)] = trace } else { slots.append(trace) }
        index[key] = slot
        if trace.decision == nil { setAlarm(slot, at: due(slot).time) }
        return slot
    }

    /// The tests of policies that no span of the trace has passed yet, a bit each.
    func openTests(of slot: Int32) -> UInt64 {
        slots[Int(slot)].decision == nil ? ~slots[Int(slot)].summary.tests : 0
    }

    mutating func add(_ span: TraceSummary.Span, to slot: Int32, at now: Timestamp) {
        guard slots[Int(slot)].decision == nil else {
            lateSpans += 1
            return
        }
        slots[Int(slot)].summary.add(span)
        slots[Int(slot)].lastSeen = now
        if span.isRoot, slots[Int(slot)].rootSeen == nil, settings.rootWait != nil {
            slots[Int(slot)].rootSeen = now
            setAlarm(slot, at: due(slot).time)
        }
        if slots[Int(slot)].summary.spans >= settings.maxSpans, slots[Int(slot)].pending == nil {
            settle(slot, .traceSize, due: now, at: now)
        }
    }

    // MARK: - Decisions

    /// When a trace is to be decided, and why then.
    func due(_ slot: Int32) -> (time: Timestamp, cause: DecisionCause) {
        let trace = slots[Int(slot)]
        var due = (time: trace.firstSeen.advanced(by: settings.decisionWait), cause: DecisionCause.waited)
        if let idle = settings.idle, trace.lastSeen.advanced(by: idle) < due.time {
            due = (trace.lastSeen.advanced(by: idle), .idle)
        }
        if let wait = settings.rootWait, let root = trace.rootSeen, root.advanced(by: wait) < due.time {
            due = (root.advanced(by: wait), .rootEnded)
        }
        return due
    }

    mutating func setAlarm(_ slot: Int32, at time: Timestamp) {
        alarms.add(AlarmQueue.Alarm(time: time, slot: slot, generation: slots[Int(slot)].generation))
    }

    /// Asks the policies about a trace that is due.
    mutating func settle(_ slot: Int32, _ cause: DecisionCause, due: Timestamp, at now: Timestamp) {
        let summary = slots[Int(slot)].summary
        switch policies.verdict(on: summary) {
        case .decided(let threshold, let isKept, let policy):
            finish(slot, (threshold, isKept, policy), cause, due: due, at: now)
        case .depends(let limiters):
            policies.claim(limiters, for: summary, of: slots[Int(slot)].key.tenant, at: now)
            slots[Int(slot)].pending = (cause, due)
            pending.append(slot)
        }
    }

    mutating func finish(
        _ slot: Int32, _ answer: (threshold: SamplingThreshold, isKept: Bool, policy: Int?), _ cause: DecisionCause,
        due: Timestamp, at now: Timestamp
    ) {
        let trace = slots[Int(slot)]
        let decision = inBurst(
            TraceDecision(
                threshold: answer.threshold, isKept: answer.isKept, rule: answer.policy.map { rules[$0] } ?? 0),
            of: trace.summary)
        finish(slot, decision, cause, due: due, at: now)
    }

    mutating func finish(
        _ slot: Int32, _ decision: TraceDecision, _ cause: DecisionCause, due: Timestamp, at now: Timestamp
    ) {
        let trace = slots[Int(slot)]
        slots[Int(slot)].decision = decision
        slots[Int(slot)].pending = nil
        cache.add(trace.key, decision)
        openTraces -= 1
        decided.append(
            Decided(
                trace: trace.key, decision: decision, cause: cause, spans: trace.summary.spans,
                delay: now.nanoseconds - min(now.nanoseconds, due.nanoseconds)))
        // The record of a copy that is on its way is to say what was decided. Where there is none, nothing is left of
        // the trace: it was erased, or its records cannot be read.
        if trace.records == 0, trace.copies == 0 { free(slot) }
    }

    /// In a burst all are kept, so none stands for another.
    private mutating func inBurst(_ decision: TraceDecision, of trace: TraceSummary) -> TraceDecision {
        guard var lease = burst else { return decision }
        let policy = names[decision.rule]
        guard lease.isFor(policy) else { return decision }
        guard !decision.isKept else {
            return TraceDecision(threshold: .always, isKept: true, rule: decision.rule)
        }
        let isTaken = lease.take(trace.bytes, for: policy)
        burst = lease
        guard isTaken else { return decision }
        return TraceDecision(threshold: .always, isKept: true, rule: names.number(of: Self.burstRule))
    }

    // MARK: - What leaves

    /// Nil: the trace is open.
    func decision(on trace: TenantTrace) -> TraceDecision? { index[trace].flatMap { slots[Int($0)].decision } }

    /// Whether the record was read, and has not left.
    func holds(_ sequence: UInt64) -> Bool { place(of: sequence) != nil }

    private func place(of sequence: UInt64) -> Int? {
        let place = records.binarySearch { $0.sequence < sequence }
        return place < records.count && records[place].sequence == sequence ? place : nil
    }

    /// The first record has left.
    mutating func removeFirst() {
        guard let record = records.popFirst() else { return }
        for slot in record.slots {
            if slots[Int(slot)].decision != nil { slots[Int(slot)].isNoted = true }
            release(slot)
        }
    }

    /// A copy of these traces' spans, which this process has made, is the last record.
    mutating func arrive(_ traces: Set<TraceID>) {
        for id in traces {
            guard let slot = index[TenantTrace(tenant: records.last?.tenant ?? 0, id: id)] else { continue }
            slots[Int(slot)].copies = max(0, slots[Int(slot)].copies - 1)
        }
    }

    /// These traces' spans do not leave with this record.
    /// - Parameter copied: those of which a copy follows.
    mutating func move(_ traces: Set<TraceID>, copied: Set<TraceID> = [], from sequence: UInt64) {
        guard let place = place(of: sequence) else { return }
        records[place].moved.formUnion(traces)
        let leaving = records[place].slots.filter { traces.contains(slots[Int($0)].key.id) }
        records[place].slots.removeAll { traces.contains(slots[Int($0)].key.id) }
        records[place].checked = 0
        for slot in leaving {
            if copied.contains(slots[Int(slot)].key.id) { slots[Int(slot)].copies += 1 }
            release(slot)
        }
    }

    private mutating func release(_ slot: Int32) {
        slots[Int(slot)].records -= 1
        tracesOfRecords -= 1
        if slots[Int(slot)].records == 0, slots[Int(slot)].decision != nil { free(slot) }
    }

    private mutating func free(_ slot: Int32) {
        index[slots[Int(slot)].key] = nil
        slots[Int(slot)].generation &+= 1
        freeSlots.append(slot)
        if latest?.slot == slot { latest = nil }
    }
}

extension Timestamp {
    /// - Parameter nanoseconds: not beyond the end of all time.
    func advanced(by nanoseconds: UInt64) -> Timestamp {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Timestamp(nanoseconds: overflow ? .max : sum)
    }
}

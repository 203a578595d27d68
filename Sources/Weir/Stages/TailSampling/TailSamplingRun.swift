import Logging

/// One run of the stage, on a thread of its own. ``TraceWindow`` decides; this carries out.
actor TailSamplingRun {
    /// How long records gather before the window looks at them.
    static let gathering = Duration.milliseconds(20)
    /// How often what was forwarded is settled: after that nobody has to look for it at the next start.
    static let settlingInterval: UInt64 = 1_000_000_000
    /// Batches that are read before the window decides, and records that are sent off at once.
    static let batchesAtOnce = 16
    static let recordsAtOnce = 1_024
    /// Fewer records than that wait for so long: each time, a piece of the journal is read.
    static let fewRecords = 64
    static let forwardingInterval: UInt64 = 100_000_000
    /// How long the stage decides at once after the journal had too little room.
    static let overloadTime: UInt64 = 5_000_000_000
    /// What is decided at once may take so much of a burst's budget.
    static let burstBytes = 64 << 20
    /// The pause before an append that was refused is tried again.
    static let retryPause = Duration.milliseconds(200)

    private struct Forwarded {
        let sequence: UInt64
        /// In the first journal.
        let origin: UInt64
    }

    let course: StageCourse
    let telemetry: TailSamplingTelemetry
    let logger: Logger
    /// Under which bursts know the stage.
    let id: ComponentID
    let bursts: Bursts
    /// Nil where decisions are not shared.
    private let others: (any KeepDecisions)?
    /// For spans that come late.
    let decisions: RecentLines
    private let executor = BlockingExecutor(label: "weir.tail_sampling")
    /// What a monotonic clock said at the start, and what the other one did.
    private let start = (instant: ContinuousClock.now, time: Timestamp.now())
    var window: TraceWindow
    private var intake: TailSamplingIntake
    var splitter: TailSamplingSplitter
    /// The first places of spans that this run has copied, until it reads the copies.
    private var copied: Set<UInt64> = []
    /// There may be copies that a power cut takes.
    private var hasNewCopies = false
    /// Records of which the journal did not take a copy.
    private var uncopied: Set<UInt64> = []
    /// Records of the second journal that still say what was forwarded.
    private var forwarded: [Forwarded] = []
    /// Those of the first records that have left already, while one before them could not.
    private var done: Set<UInt64> = []
    var hasNews = false
    /// Decisions that are to be written down.
    private var lines: [UInt8] = []
    let recall: RecallConfiguration?
    /// Nil also as long as it cannot be had.
    var ring: RecallRing?
    /// Writes it.
    var keeping: Task<Void, Never>?
    /// While it looks through the ring, traces are decided.
    private var recalling: Task<Void, Never>?
    /// What others keep and this stage did not; of the burst that began last, when that was.
    var missed: [TenantTrace: KeptTrace] = [:]
    var lastMissed = Timestamp(nanoseconds: 0)
    var burstRecalled: String?
    /// What was called back, and what of that is to be written down.
    var promotedPlaces: Set<Place> = []
    var promotedLines: [UInt8] = []
    var canKeepPromoted = true
    /// What the second journal says of another one that is not the first: it may be the ring, once that can be had.
    var strangeOrigins: [RecordOrigin] = []
    private var lastSettled = Timestamp(nanoseconds: 0)
    private var lastForwarded = Timestamp(nanoseconds: 0)
    private var overloadedUntil: Timestamp?
    private var lateSpans = 0
    private var isHeldUp = false
    private var isStopping = false
    /// Some records could go on and are too few yet.
    private var hasReady = false

    init(
        _ configuration: TailSamplingConfiguration, _ course: StageCourse, _ decisions: RecentLines,
        _ telemetry: TailSamplingTelemetry, _ context: Context
    ) {
        self.course = course
        self.decisions = decisions
        self.telemetry = telemetry
        logger = context.logger
        id = context.id
        bursts = context.bursts
        others = configuration.sharesDecisions ? context.keepDecisions.seat() : nil
        window = TraceWindow(
            configuration.window, configuration.policies, keptDecisions: configuration.keptDecisions,
            droppedDecisions: configuration.droppedDecisions)
        intake = TailSamplingIntake(configuration.tests, MatchTelemetry(context))
        splitter = TailSamplingSplitter(course)
        recall = configuration.recall
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Until the first journal is closed, or another stage is to go on.
    func run() async {
        openRing()
        // What an earlier process has forwarded is not forwarded again, so that is known first.
        if await recover() { await work() }
        await closeRing()
    }

    private func work() async {
        while true {
            isStopping = course.reader.waiting.isClosed
            await take()
            let now = now
            updateOverload(now)
            hear(at: now)
            decide(at: now)
            await forward()
            telemetry.show(window)
            if now.nanoseconds - lastSettled.nanoseconds >= Self.settlingInterval {
                openRing()
                if let ring { await look(after: ring) }
                await settle()
            }
            if isStopping { break }
            await wait()
        }
        recalling?.cancel()
        await recalling?.value
        await settle()
        let open = window.openTraces
        if open > 0 { logger.info("traces stay undecided for the next start", metadata: ["traces": "\(open)"]) }
    }

    private func look(after ring: RecallRing) async {
        // However long it is looked through, others on its disk do not wait.
        await ring.expire(at: course.now())
        ring.makeRoom()
        guard recalling == nil else { return }
        recalling = Task {
            await recallIfDue(ring)
            recalling = nil
        }
    }

    /// Never goes back, whatever is done to the machine's clock.
    var now: Timestamp { start.time.advanced(by: (ContinuousClock.now - start.instant).inNanoseconds) }

    private func wait() async {
        guard !isHeldUp else {
            isHeldUp = false
            try? await Task.sleep(for: Self.retryPause)
            return
        }
        let now = now
        var pause = window.nextDue(at: now).map { $0 > now ? $0.nanoseconds - now.nanoseconds : 1_000_000 }
        if hasReady { pause = min(pause ?? .max, Self.forwardingInterval) }
        if hasNews || recall != nil || others != nil { pause = min(pause ?? .max, Self.settlingInterval) }
        if course.reader.waiting.spans == 0 {
            await course.reader.wait(for: pause.map { .nanoseconds(Int64(clamping: $0)) })
        }
        if window.memory >= 2 * window.settings.maxMemory {
            try? await Task.sleep(for: Self.gathering)
            return
        }
        // The first record wakes the stage, and some more may come with it.
        if course.reader.waiting.spans < JournalReader.batchSpans, !course.reader.waiting.isClosed {
            await course.reader.wait(for: Self.gathering)
        }
    }

    private func updateOverload(_ now: Timestamp) {
        if course.reader.needsRoom {
            if overloadedUntil == nil { telemetry.noteOverload(true) }
            overloadedUntil = now.advanced(by: Self.overloadTime)
        } else if let until = overloadedUntil, until <= now {
            overloadedUntil = nil
            telemetry.noteOverload(false)
        }
    }

    private func decide(at now: Timestamp) {
        withBurst { window.decide(at: now, isOverloaded: overloadedUntil != nil) }
        tell()
    }

    private func tell() {
        var kept: [KeptTrace] = []
        for decided in window.takeDecided() {
            let rule = window.names[decided.decision.rule]
            telemetry.note(decided, policy: rule)
            guard others != nil, window.isNews(decided) else { continue }
            kept.append(KeptTrace(trace: decided.trace, threshold: decided.decision.threshold, rule: rule))
        }
        if !kept.isEmpty { others?.announce(kept) }
        telemetry.noteLate(window.lateSpans - lateSpans)
        lateSpans = window.lateSpans
    }

    /// What others keep.
    private func hear(at now: Timestamp) {
        guard let heard = others?.heard(), !heard.isEmpty else { return }
        for kept in heard where window.hear(kept, at: now) {
            if ring != nil, missed.count < Self.maximumMissed { missed[kept.trace] = kept }
        }
        telemetry.noteHeard(heard.count)
    }

    // MARK: - What comes in

    private func take() async {
        for _ in 0..<Self.batchesAtOnce {
            // What cannot go on must not fill the memory: the journal holds it.
            guard window.memory < 2 * window.settings.maxMemory else { return }
            let records = await course.reader.read()
            guard !records.isEmpty else { return }
            let now = now
            withBurst { for record in records { add(record, at: now) } }
        }
    }

    private func add(_ record: JournalRecord, at now: Timestamp) {
        window.begin(record: record.sequence, of: record.tenant, spans: record.spanCount, at: now)
        let place = record.firstPlace(in: course.reader.journal)
        let isOld = place != nil || record.sequence <= course.reader.recoveredThrough
        // A copy of what was read in its first place adds nothing.
        let isKnown = place.map { copied.remove($0) != nil } ?? false
        do {
            let traces = try intake.add(
                record, to: &window, firstSeen: isOld ? record.receivedAt : now, isKnown: isKnown, at: now)
            if isKnown { window.arrive(traces) }
        } catch {
            // It goes on as it is: nobody can say what is in it.
            telemetry.noteTrouble("found a record that cannot be decoded", error)
        }
    }

    // MARK: - What goes on

    private func forward() async {
        hasReady = false
        while true {
            // While one could not go on, those behind it do not take the room that it needs.
            let ready = window.readyRecords(at: now, limit: done.isEmpty ? Self.recordsAtOnce : 1)
            guard ready > 0, let first = window.records.first?.sequence else { return }
            let isHurried = isStopping || ready >= Self.fewRecords
            guard isHurried || now >= lastForwarded.advanced(by: Self.forwardingInterval) else {
                hasReady = true
                return
            }
            lastForwarded = now
            do {
                // Not more than can go on: reading is what this costs.
                let spans = window.records.prefix(ready).reduce(0) { $0 + $1.spans }
                let records = try await course.reader.readAgain(
                    from: first, maxSpans: min(spans, JournalReader.batchSpans)
                ).records
                guard await forward(records, ready: ready) else {
                    isHeldUp = true
                    return
                }
                // What is due meanwhile does not wait for all that goes on.
                decide(at: now)
            } catch {
                telemetry.noteHeldUp(first, "it cannot be read", error)
                isHeldUp = true
                return
            }
        }
    }

    /// What becomes of a record.
    private struct Passage {
        let sequence: UInt64
        var entry: JournalEntry
        var kept = 0
        var dropped = 0
        /// For the ring.
        var leftOut: JournalEntry?
    }

    /// - Returns: whether all could go on.
    private func forward(_ records: [JournalRecord], ready: Int) async -> Bool {
        var found = records.makeIterator()
        var next = found.next()
        var passages: [Passage] = []
        var bytes = 0
        var place = 0
        while place < ready {
            let sequence = window.records[place].sequence
            while let record = next, record.sequence < sequence { next = found.next() }
            // What was read ends here; the rest has its turn.
            if next == nil, !records.isEmpty { break }
            if let record = next, record.sequence == sequence {
                if !done.contains(sequence) {
                    // The next process would take a copy for void as long as what it is a copy of has not gone on.
                    if let first = record.firstPlace(in: course.reader.journal), isWaiting(first) { break }
                    // Those in front of it go on.
                    guard let passage = await passage(of: record, place) else { break }
                    bytes += passage.entry.size
                    // Those behind one that does not go on are held until it has: they leave the room that it needs.
                    if !passages.isEmpty, bytes > course.target.journal.limits.maxBytes / 8 { break }
                    passages.append(passage)
                }
            } else {
                telemetry.noteLost(window.records[place].spans, sequence: sequence, "the journal cannot be read there")
                telemetry.noteWentOn(sequence)
                done.insert(sequence)
            }
            place += 1
        }
        if hasNewCopies {
            guard await course.keepCopies() else { return false }
            hasNewCopies = false
        }
        await append(passages)
        var gone = 0
        while let first = window.records.first, done.remove(first.sequence) != nil {
            window.removeFirst()
            course.reader.commit(first.sequence...first.sequence)
            hasNews = true
            gone += 1
        }
        return place > 0 && gone >= place
    }

    /// Whether a record was read, and has not gone on.
    private func isWaiting(_ sequence: UInt64) -> Bool { window.holds(sequence) && !done.contains(sequence) }

    /// - Returns: nil where it cannot go on now.
    private func passage(of record: JournalRecord, _ place: Int) async -> Passage? {
        let open = window.openTraces(in: window.records[place])
        do {
            if !open.isEmpty {
                try await copy(open, of: record)
            } else if uncopied.contains(record.sequence), await course.holdsRefused() {
                throw DiskError(description: "what it has refused may stand there nevertheless", isFull: false)
            }
            uncopied.remove(record.sequence)
        } catch {
            uncopied.insert(record.sequence)
            telemetry.noteHeldUp(record.sequence, "the journal does not take a copy of what is not decided", error)
            return nil
        }
        do {
            var passage = try split(record, window.records[place])
            var origin = RecordOrigin(course.reader.journal, record.sequence...record.sequence)
            origin.decisions = window.newDecisions(in: window.records[place])
            passage.entry.section.add(origin)
            return passage
        } catch {
            telemetry.noteHeldUp(record.sequence, "a processor behind the stage does not take it", error)
            return nil
        }
    }

    private func split(_ record: JournalRecord, _ known: TraceWindow.Record) throws -> Passage {
        do {
            let parts = try splitter.split(
                record, moved: known.moved, { window.decision(on: TenantTrace(tenant: known.tenant, id: $0)) },
                rule: { window.names[$0] })
            var passage = Passage(
                sequence: record.sequence, entry: parts.forwarded, kept: parts.kept, dropped: parts.dropped)
            if ring != nil, parts.dropped > 0 {
                passage.leftOut = try splitter.leftOut(of: record, moved: known.moved) {
                    window.decision(on: TenantTrace(tenant: known.tenant, id: $0))
                }
            }
            return passage
        } catch let error as DecodeError {
            telemetry.noteTrouble("sent on a record that cannot be decoded, as it is", error)
        } catch Refusal.tooLarge(let reason) {
            // Over what an encoder takes: all of it is kept rather than lost.
            telemetry.noteTrouble("sent on a record that is too large for what was decided, as it is", reason)
        }
        return Passage(
            sequence: record.sequence,
            entry: JournalEntry(
                tenant: record.tenant, receivedAt: record.receivedAt, spanCount: record.spanCount,
                payload: record.payload, section: record.section), kept: record.spanCount)
    }

    /// Puts the spans of open traces at the end of the first journal, before the others leave the record.
    private func copy(_ traces: Set<TraceID>, of record: JournalRecord) async throws {
        // Of whom was erased since, nothing is copied.
        let copy = try splitter.copy(traces, of: record)
        if var entry = copy?.entry {
            entry.section.add(RecordOrigin(course.reader.journal, record.sequence...record.sequence))
            _ = try await course.source.journal.append(entry)
            copied.insert(record.sequence)
            hasNewCopies = true
            telemetry.noteCopied(entry.spanCount)
        }
        window.move(traces, copied: copy?.traces ?? [], from: record.sequence)
    }

    private func append(_ passages: [Passage]) async {
        let journal = course.target.journal
        await withTaskGroup(of: (Passage, Refusal?).self) { group in
            for passage in passages {
                group.addTask {
                    do throws(Refusal) {
                        _ = try await journal.append(passage.entry)
                        return (passage, nil)
                    } catch {
                        return (passage, error)
                    }
                }
            }
            for await (passage, refusal) in group {
                note(passage, refusal)
                guard refusal == nil, let ring, let leftOut = passage.leftOut else { continue }
                telemetry.noteRecall(await ring.add(leftOut, at: course.now()) ? leftOut.spanCount : 0)
            }
        }
    }

    private func note(_ passage: Passage, _ refusal: Refusal?) {
        if let refusal {
            return telemetry.noteHeldUp(
                passage.sequence, "the second journal does not take what was decided", refusal)
        }
        telemetry.noteWentOn(passage.sequence)
        done.insert(passage.sequence)
        telemetry.noteForwarded(kept: passage.kept, dropped: passage.dropped)
    }
}

// MARK: - What the second journal says of the first

extension TailSamplingRun {
    /// - Returns: nil where the record comes from elsewhere.
    func note(_ record: JournalRecord) -> RecordOrigin? {
        guard let origin = record.section.origin, origin.journal == course.reader.journal else {
            if let origin = record.section.origin { noteStrange(origin) }
            // Of another first journal: nothing of that is there any more.
            forwarded.append(Forwarded(sequence: record.sequence, origin: 0))
            return nil
        }
        let time = course.now()
        for decision in origin.decisions {
            lines += TailSamplingFiles.line(of: decision, tenant: record.tenant, at: time)
        }
        forwarded.append(Forwarded(sequence: record.sequence, origin: origin.sequences.upperBound))
        return origin
    }

    /// Makes durable elsewhere what records of the second journal say of the first, so that they may go: how far the
    /// first one is done, and the decisions for spans that come late.
    func settle() async {
        lastSettled = now
        hasNews = false
        let passed = course.reader.cursor.next
        while true {
            let records = await course.progress.read()
            guard !records.isEmpty else { break }
            for record in records { _ = note(record) }
        }
        do throws(FileError) {
            try decisions.append(lines)
            lines = []
        } catch {
            return telemetry.noteTrouble("cannot write down what was decided; it stays in the second journal", error)
        }
        keepPromoted()
        guard await course.keepCursors() else { return }
        for record in forwarded where record.origin < passed {
            course.progress.commit(record.sequence...record.sequence)
        }
        forwarded.removeAll { $0.origin < passed }
    }
}

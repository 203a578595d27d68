@testable import Weir

/// Everything around a ``DeliveryState``: a journal, a destination and a disk that do what a seed says, and a book of
/// what became of each span.
struct DeliveryWorld {
    enum Fate { case sent, dead, parked, missed }

    struct SpanID: Hashable, Comparable {
        let sequence: UInt64
        let index: Int

        static func < (left: SpanID, right: SpanID) -> Bool {
            (left.sequence, left.index) < (right.sequence, right.index)
        }
    }

    /// Something that was begun and has not ended.
    private enum Work {
        case export(Int, Piece)
        case bury(Int, Piece)
        case park(Int, Piece, String)
        case fetch(Int, String)
        case forget(Int, String, Int)
        case look(UInt64)
    }

    let start = ContinuousClock.now
    var random: SplitMix64
    var now: ContinuousClock.Instant
    var state: DeliveryState
    let settings: DeliveryState.Settings

    // The journal.
    var records: [JournalRecord] = []
    var position = 0
    var committed: Set<UInt64> = []
    var isClosed = false

    // The destination and the disk.
    var bad: Set<SpanID> = []
    var blocked: Set<String> = []
    var isDown = false
    var isDiskFull = false
    /// How many records of all tenants may be set aside.
    var maxSet = Int.max
    /// How many dead letters a tenant may have.
    var maxDead = Int.max
    private var dead: [String: Int] = [:]
    /// An exporter that has one consumer may settle late.
    var unsettled = 0
    var set: [String: [JournalRecord]] = [:]
    private var work: [Work] = []

    // The book.
    var fates: [SpanID: Fate] = [:]
    var sends: [SpanID: Int] = [:]
    var order: [String: [SpanID]] = [:]
    var sentSpans = 0
    var attempts = 0
    var problems: [String] = []

    init(seed: UInt64, consumers: Int, splitsRecords: Bool, waitsForLater: Bool = false, retry: String = "") {
        random = SplitMix64(seed: seed)
        now = start
        let configuration = DeliveryConfiguration(
            retry: retry, queue: "num_consumers: \(consumers)", batch: "flush_timeout: 100ms",
            defaults: DeliveryDefaults(splitsRecords: splitsRecords))
        settings = DeliveryState.Settings(
            retry: configuration.retry, queue: configuration.queue, splitsRecords: splitsRecords,
            waitsForLater: waitsForLater, tickInterval: .seconds(1), drainTimeout: .seconds(10))
        state = Self.state(settings, [:], start, seed)
    }

    private static func state(
        _ settings: DeliveryState.Settings, _ parked: [String: Int], _ now: ContinuousClock.Instant, _ seed: UInt64
    ) -> DeliveryState {
        var random = SplitMix64(seed: seed)
        return DeliveryState(settings, parked: parked, at: now) { Double.random(in: 0...1, using: &random) }
    }

    /// The process dies, and another one begins where the journal and the disk are.
    mutating func restart() {
        work = []
        isClosed = false
        position = records.firstIndex { !committed.contains($0.sequence) } ?? records.count
        let parked = set.mapValues { $0.reduce(0) { $0 + $1.spanCount } }
        state = Self.state(settings, parked, now, random.next())
    }

    // MARK: What happens

    mutating func append() {
        let sequence = UInt64(records.count + 1)
        let spans = 1 + random.below(5)
        for index in 0..<spans where random.chance(4) { bad.insert(SpanID(sequence: sequence, index: index)) }
        records.append(
            JournalRecord(
                sequence: sequence, tenant: random.pick(["a", "b", "c"]), receivedAt: Timestamp(nanoseconds: 0),
                spanCount: spans, payload: .empty))
    }

    /// Asks the state what to do until that is nothing.
    mutating func act() {
        for _ in 0..<10_000 {
            let actions = state.actions(at: now, journal)
            for action in actions { begin(action) }
            if actions.isEmpty { return }
        }
        problems.append("it never rests")
    }

    private var unread: ArraySlice<JournalRecord> {
        records[position...].filter { !committed.contains($0.sequence) }[...]
    }

    var journal: DeliveryState.Journal {
        let unread = unread
        return DeliveryState.Journal(
            spans: unread.reduce(0) { $0 + $1.spanCount }, bytes: unread.count, isClosed: isClosed,
            needsRoom: false)
    }

    private mutating func begin(_ action: DeliveryState.Action) {
        switch action {
        case .read:
            let batch = Array(unread.prefix(1 + random.below(12)))
            position = batch.last.map { Int($0.sequence) } ?? position
            state.handle(.read(batch), at: now)
        case .export(let id, let piece, _):
            attempts += 1
            work.append(.export(id, piece))
            let exports = work.count { if case .export = $0 { true } else { false } }
            if exports > settings.queue.consumers { problems.append("\(exports) exports at a time") }
        case .cancel(let id):
            guard let index = work.firstIndex(where: { if case .export(id, _) = $0 { true } else { false } }) else {
                return problems.append("cancelled what is not")
            }
            work.remove(at: index)
            state.handle(.exported(id, .failure(.retryable("cancelled", after: nil))), at: now)
        case .bury(let id, let piece, _, _): work.append(.bury(id, piece))
        case .park(let id, let piece, let tenant, _): work.append(.park(id, piece, tenant))
        case .miss(let piece, let tenant):
            if piece.records.contains(where: { $0.tenant != tenant }) { problems.append("another tenant's are missed") }
            for span in spans(piece) { note(span, .missed) }
        case .fetch(let id, let tenant): work.append(.fetch(id, tenant))
        case .forget(let id, let tenant, let count): work.append(.forget(id, tenant, count))
        case .look(let last, _, _): work.append(.look(last))
        case .finish(let last): state.handle(.finished(settled: last), at: now)
        case .commit(let sequences): commit(sequences)
        case .report(.sent(let spans)): sentSpans += spans
        case .report: break
        }
    }

    private mutating func commit(_ sequences: ClosedRange<UInt64>) {
        for sequence in sequences {
            committed.insert(sequence)
            let record = records[Int(sequence) - 1]
            for index in 0..<record.spanCount where fates[SpanID(sequence: sequence, index: index)] == nil {
                problems.append("\(sequence) is committed without its span \(index)")
            }
        }
    }

    /// Ends something that was begun, or lets time pass.
    mutating func proceed() {
        guard !work.isEmpty, random.chance(70) else { return pass() }
        // Files are read and written in turn; exports end in any order.
        let index = random.below(work.count)
        finish(work.remove(at: index))
        act()
    }

    mutating func proceed(until isEnough: (DeliveryWorld) -> Bool) {
        for _ in 0..<10_000 {
            if isEnough(self) { return }
            proceed()
        }
        problems.append("it never gets there")
    }

    private mutating func pass() {
        if work.isEmpty, let wake = state.wakeAt {
            now = max(now, wake)
        } else {
            now += .milliseconds(random.below(500))
        }
        act()
    }

    private mutating func finish(_ ended: Work) {
        switch ended {
        case .export(let id, let piece): state.handle(.exported(id, export(piece)), at: now)
        case .look(let last): state.handle(.looked(settled: last - min(last, UInt64(unsettled))), at: now)
        case .bury(let id, let piece):
            let tenants = Set(piece.records.map(\.tenant))
            let isLimit = tenants.contains { dead[$0, default: 0] >= maxDead }
            let isKept = !isDiskFull && !isLimit
            if isKept {
                for tenant in tenants { dead[tenant, default: 0] += 1 }
                for span in spans(piece) { note(span, .dead) }
            }
            state.handle(.kept(id, isKept ? .success(()) : .failure(LetterError("full", isLimit: isLimit))), at: now)
        case .park(let id, let piece, let tenant):
            let isLimit = set.values.reduce(0) { $0 + $1.count } + piece.records.count > maxSet
            let isKept = !isDiskFull && !isLimit
            if isKept {
                for span in spans(piece) { note(span, .parked) }
                set[tenant, default: []] += cut(piece)
            }
            state.handle(.kept(id, isKept ? .success(()) : .failure(LetterError("full", isLimit: isLimit))), at: now)
        case .fetch(let id, let tenant):
            let kept = (set[tenant] ?? []).prefix(1 + random.below(5)).map {
                KeptRecord(journal: JournalID(value: 0), record: $0)
            }
            state.handle(.fetched(id, .success(kept)), at: now)
        case .forget(let id, let tenant, let count):
            set[tenant]?.removeFirst(count)
            if set[tenant]?.isEmpty ?? false { set[tenant] = nil }
            state.handle(.forgot(id, .success(())), at: now)
        }
    }

    private mutating func export(_ piece: Piece) -> Result<Void, ExportError> {
        if isDown { return .failure(.retryable("down", after: random.chance(10) ? .seconds(1) : nil)) }
        if let record = piece.records.first(where: { blocked.contains($0.tenant) }) {
            return .failure(.tenantBlocked(record.tenant, "wrong key"))
        }
        let spans = spans(piece)
        if spans.contains(where: bad.contains) { return .failure(.rejected("bad")) }
        for span in spans {
            sends[span, default: 0] += 1
            note(span, .sent)
        }
        return .success(())
    }

    private mutating func note(_ span: SpanID, _ fate: Fate) {
        if fate == .sent, fates[span] != .sent {
            order[records[Int(span.sequence) - 1].tenant, default: []].append(span)
        }
        fates[span] = fate
    }

    /// A record that was cut remembers, as its time, where in the whole record it began.
    private func cut(_ piece: Piece) -> [JournalRecord] {
        guard let spans = piece.spans, let record = piece.records.first else { return Array(piece.records) }
        let first = record.receivedAt.nanoseconds + UInt64(spans.lowerBound)
        return [
            JournalRecord(
                sequence: record.sequence, tenant: record.tenant, receivedAt: Timestamp(nanoseconds: first),
                spanCount: spans.count, payload: .empty)
        ]
    }

    private func spans(_ piece: Piece) -> [SpanID] {
        cut(piece).flatMap { record in
            (0..<record.spanCount).map {
                SpanID(sequence: record.sequence, index: Int(record.receivedAt.nanoseconds) + $0)
            }
        }
    }
}

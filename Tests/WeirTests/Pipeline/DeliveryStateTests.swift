import Testing

@testable import Weir

/// Thousands of schedules in which everything fails at some time.
@Suite(.serialized, .hangLimit) struct DeliveryStateTests {
    private static let seeds: UInt64 = Torture.isOn ? 20_000 : 1_000

    @Test(arguments: [1, 2, 4]) func losesNothingWhateverFails(consumers: Int) async {
        for seed in 0..<Self.seeds {
            await Task.yield()
            var world = DeliveryWorld(seed: seed, consumers: consumers, splitsRecords: seed % 4 != 0)
            if seed % 3 == 0 { world.maxSet = 4 }
            if seed % 5 == 0 { world.maxDead = 2 }
            disturb(&world)
            heal(&world)
            check(world, seed)
            // Only a parked record that was taken apart, when an outage came in between, is begun anew.
            let apart = Set(world.bad.map(\.sequence))
            let again = world.sends.filter { $0.value > 1 && !apart.contains($0.key.sequence) }
            #expect(again == [:], "seed \(seed)")
            if consumers == 1 {
                for spans in world.order.values { #expect(spans == spans.sorted(), "seed \(seed): out of order") }
            }
        }
    }

    @Test func losesNothingWhenTheProcessDies() async {
        for seed in 0..<Self.seeds {
            await Task.yield()
            var world = DeliveryWorld(seed: seed, consumers: 1 + Int(seed % 3), splitsRecords: true)
            for _ in 0..<3 {
                disturb(&world)
                world.restart()
            }
            heal(&world)
            check(world, seed)
        }
    }

    @Test func commitsNothingThatTheExporterHasNotSettled() async {
        for seed in UInt64(0)..<200 {
            await Task.yield()
            var world = DeliveryWorld(seed: seed, consumers: 1, splitsRecords: false)
            world.unsettled = 3
            for _ in 0..<20 { world.append() }
            world.act()
            for _ in 0..<500 { world.proceed() }
            #expect(world.committed.count <= 17, "seed \(seed)")
            #expect(world.committed.max() ?? 0 <= 17, "seed \(seed)")
            world.unsettled = 0
            heal(&world)
            check(world, seed)
        }
    }

    @Test func stopsWithinItsTimeWhateverFails() async {
        for seed in 0..<Self.seeds {
            await Task.yield()
            var world = DeliveryWorld(seed: seed, consumers: 1 + Int(seed % 4), splitsRecords: true)
            disturb(&world)
            world.isClosed = true
            let closed = world.now
            world.act()
            world.proceed { $0.state.isOver }
            #expect(world.state.isOver, "seed \(seed)")
            #expect(world.now - closed <= .seconds(11), "seed \(seed)")
            #expect(world.problems == [], "seed \(seed)")
            world.restart()
            heal(&world)
            check(world, seed)
        }
    }

    @Test func putsWhatFailsForTooLongIntoTheDeadLetters() {
        for retry in ["enabled: false", "max_elapsed_time: 1m"] {
            var world = DeliveryWorld(seed: 1, consumers: 1, splitsRecords: true, retry: retry)
            world.bad = []
            world.append()
            world.isDown = true
            world.act()
            let begun = world.now
            world.proceed { !$0.fates.isEmpty }
            #expect(world.fates.values.allSatisfy { $0 == .dead })
            #expect(!world.fates.isEmpty)
            let isAtOnce = retry == "enabled: false"
            #expect(isAtOnce ? world.attempts == 1 : world.now - begun >= .seconds(60))
            #expect(world.now - begun < .seconds(100))
        }
    }

    /// What it waits for may be in one that is not read yet.
    @Test func readsOnWhereABatchWaitsForALaterOne() {
        var world = StuckWorld(waitsForLater: true)
        for _ in 0..<1_000 { world.step() }
        #expect(world.reads > 10 * DeliveryState.maxOvertaken)
    }

    @Test func readsNoMoreWhenOneBatchIsStuckAndManyHavePassed() {
        var world = StuckWorld()
        for _ in 0..<1_000 { world.step() }
        // A second one was under way when the last that may was done.
        #expect(world.reads == 2 + DeliveryState.maxOvertaken)
        world.finishFirst()
        for _ in 0..<10 { world.step() }
        #expect(world.reads > 2 + DeliveryState.maxOvertaken)
    }

    @Test func sendsNothingToAnyoneBeforeTheTimeThatTheDestinationNamed() {
        var world = DeliveryWorld(seed: 3, consumers: 4, splitsRecords: true)
        var state = world.state
        let now = world.now
        for _ in 0..<4 { world.append() }
        state.handle(.read([world.records[0]]), at: now)
        let journal = DeliveryState.Journal(spans: 1, bytes: 1, isClosed: false, needsRoom: false)
        _ = state.actions(at: now, journal)
        state.handle(.exported(1, .failure(.retryable("busy", after: .seconds(20)))), at: now)
        let early = state.actions(at: now + .seconds(19), journal)
        #expect(!early.contains { if case .export = $0 { true } else if case .read = $0 { true } else { false } })
        let late = state.actions(at: now + .seconds(20), journal)
        #expect(late.contains { if case .export = $0 { true } else { false } })
        #expect(late.contains { if case .read = $0 { true } else { false } })
    }

    @Test func readsWithPausesWhatCannotBeRead() {
        let world = DeliveryWorld(seed: 5, consumers: 1, splitsRecords: true)
        var (state, now) = (world.state, world.now)
        for isClosed in [false, true] {
            let journal = DeliveryState.Journal(spans: 8_192, bytes: 1 << 20, isClosed: isClosed, needsRoom: false)
            var reads = 0
            let end = now + .seconds(1)
            while now < end {
                let actions = state.actions(at: now, journal)
                guard actions.contains(where: { if case .read = $0 { true } else { false } }) else {
                    now = max(now + .milliseconds(1), state.wakeAt ?? end)
                    continue
                }
                reads += 1
                state.handle(.read([]), at: now)
            }
            #expect((5...11).contains(reads), "\(reads)")
            #expect(state.unreadableSince == world.now)
        }
        var other = world
        other.append()
        state.handle(.read(other.records), at: now)
        #expect(state.unreadableSince == nil)
    }

    /// A key was away: what was handed out then stays, though what is behind it is delivered.
    @Test func whatNobodyCouldOpenIsNotCommittedWithWhatFollows() {
        var world = DeliveryWorld(seed: 5, consumers: 1, splitsRecords: true)
        for _ in 0..<3 { world.append() }
        var (state, now) = (world.state, world.now)
        let journal = DeliveryState.Journal(spans: 8_192, bytes: 1 << 20, isClosed: false, needsRoom: false)
        var committed: [ClosedRange<UInt64>] = []
        for records in [[world.records[0]], [], [world.records[2]]] {
            now += .seconds(1)
            state.handle(.read(records), at: now)
            for _ in 0..<5 {
                for action in state.actions(at: now, journal) {
                    switch action {
                    case .export(let flight, _, _): state.handle(.exported(flight, .success(())), at: now)
                    case .look(let last, _, _): state.handle(.looked(settled: last), at: now)
                    case .commit(let sequences): committed.append(sequences)
                    default: break
                    }
                }
            }
        }
        #expect(committed == [1...1, 3...3])
    }

    @Test func readsOneBatchAtATimeAndWaitsForIt() {
        let world = DeliveryWorld(seed: 5, consumers: 2, splitsRecords: true)
        var (state, now) = (world.state, world.now)
        func actions(isClosed: Bool = false) -> (reads: Bool, ends: Bool) {
            let journal = DeliveryState.Journal(spans: 8_192, bytes: 1 << 20, isClosed: isClosed, needsRoom: false)
            let actions = state.actions(at: now, journal)
            if actions.contains(where: { if case .look = $0 { true } else { false } }) {
                state.handle(.looked(settled: 0), at: now)
            }
            return (
                actions.contains { if case .read = $0 { true } else { false } },
                actions.contains { if case .finish = $0 { true } else { false } }
            )
        }
        #expect(actions().reads)
        #expect(!actions().reads)
        #expect(!actions(isClosed: true).ends)
        now += .seconds(10)
        for _ in 1...2 {
            let found = actions(isClosed: true)
            #expect(!found.reads && !found.ends)
        }
        state.handle(.read([]), at: now)
        #expect(actions(isClosed: true).ends)
    }

    @Test func makesRoomWhenTheJournalNeedsIt() {
        let world = DeliveryWorld(seed: 4, consumers: 1, splitsRecords: true)
        var state = world.state
        func makesRoom(_ needsRoom: Bool) -> Bool {
            let journal = DeliveryState.Journal(spans: 0, bytes: 0, isClosed: false, needsRoom: needsRoom)
            let actions = state.actions(at: world.now, journal)
            return actions.contains { if case .look(_, _, makesRoom: true) = $0 { true } else { false } }
        }
        #expect(!makesRoom(true), "nothing is unsettled")
        state.done = [Shipment.Finished(sequences: 1...3, spans: 3, sentSpans: 3)]
        #expect(!makesRoom(false))
        #expect(makesRoom(true))
        state.handle(.looked(settled: 0), at: world.now)
        #expect(!makesRoom(true), "not more often than it ticks")
    }

    // MARK: Schedules

    /// Lets things happen for a while.
    private func disturb(_ world: inout DeliveryWorld) {
        for _ in 0..<5 + world.random.below(150) {
            switch world.random.below(40) {
            case 0...7: world.append()
            case 8: world.isDown = world.random.chance(50)
            case 9: world.isDiskFull = world.random.chance(30)
            case 10: world.blocked = world.random.chance(50) ? [world.random.pick(["a", "b", "c"])] : []
            default: world.proceed()
            }
        }
    }

    /// Everything works, and time goes on until nothing is left to do; then the journal is closed.
    private func heal(_ world: inout DeliveryWorld) {
        (world.isDown, world.isDiskFull, world.blocked) = (false, false, [])
        world.act()
        world.proceed {
            $0.committed.count == $0.records.count && $0.set.isEmpty && $0.state.flights.isEmpty
        }
        world.isClosed = true
        world.act()
        world.proceed { $0.state.isOver }
    }

    private func check(_ world: DeliveryWorld, _ seed: UInt64) {
        #expect(world.problems == [], "seed \(seed)")
        #expect(world.state.isOver, "seed \(seed)")
        #expect(world.committed.count == world.records.count, "seed \(seed)")
        let all = world.records.flatMap { record in
            (0..<record.spanCount).map { DeliveryWorld.SpanID(sequence: record.sequence, index: $0) }
        }
        let lost = all.filter { span in
            let fate = world.fates[span]
            // That is told, and happens where no more may be set aside.
            if fate == .missed, world.maxSet < .max { return false }
            let mayBeDead = world.bad.contains(span) || !world.settings.splitsRecords
            if fate == .missed, world.maxDead < .max, mayBeDead { return false }
            // A record that may not be taken apart goes with the span that is refused.
            let isDead = world.settings.splitsRecords ? world.bad.contains(span) : fate == .dead
            return fate != (isDead ? .dead : .sent)
        }
        #expect(lost == [], "seed \(seed)")
    }
}

/// The first batch never ends, and the others do at once.
private struct StuckWorld {
    var state: DeliveryState
    var reads = 0
    private var isFirstDone = false
    private let now: ContinuousClock.Instant
    private var journal: DeliveryState.Journal {
        DeliveryState.Journal(spans: 8_192, bytes: 1, isClosed: false, needsRoom: false)
    }

    init(waitsForLater: Bool = false) {
        let world = DeliveryWorld(seed: 1, consumers: 3, splitsRecords: true, waitsForLater: waitsForLater)
        (state, now) = (world.state, world.now)
    }

    mutating func step() {
        for action in state.actions(at: now, journal) {
            switch action {
            case .read:
                reads += 1
                let record = JournalRecord(
                    sequence: UInt64(reads), tenant: "a", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1,
                    payload: .empty)
                state.handle(.read([record]), at: now)
            case .export(let id, _, _): if id > 1 { state.handle(.exported(id, .success(())), at: now) }
            case .look(let last, _, _): state.handle(.looked(settled: last), at: now)
            default: break
            }
        }
    }

    mutating func finishFirst() {
        state.handle(.exported(1, .success(())), at: now)
    }
}

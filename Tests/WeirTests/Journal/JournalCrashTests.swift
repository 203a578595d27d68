import Testing

@testable import Weir

extension JournalSimulation {
    /// The power fails during any operation, and what was not synced survives or does not.
    @Suite struct JournalCrashTests {
        /// Works until the power fails.
        /// - Returns: nil where it had failed before the journal was open.
        private func work(_ disk: SimulatedDisk, _ limits: JournalLimits) -> JournalWork {
            var work = JournalWork()
            if let core = try? JournalCore(limits, for: JournalWork.destinations, on: disk) { work.run(core) }
            return work
        }

        private func countOperations(_ limits: JournalLimits) -> Int {
            let disk = SimulatedDisk(seed: 1)
            let whole = work(disk, limits)
            #expect(whole.refused == [])
            return disk.count()
        }

        /// Opens what a power cut has left, lets both exporters read it, and goes on.
        private func check(_ disk: SimulatedDisk, _ limits: JournalLimits, after work: JournalWork, _ what: Comment)
            throws
        {
            let core = try JournalCore(limits, for: JournalWork.destinations, on: disk)
            #expect(!core.gaps.contains { $0.reason != .damaged }, what)
            #expect(core.append([.numbered(1_000)]) == 1, what)
            try core.sync()
            for reader in [0, 1] {
                let records = try core.drain(reader)
                #expect(records.last?.number == 1_000, what)
                let numbers = records.compactMap(\.number).filter { $0 != 1_000 }
                #expect(numbers.count == records.count - 1, what)
                #expect(numbers == numbers.sorted(), what)
                #expect(work.kept.isEmpty || numbers.isEmpty || numbers.last ?? 0 >= work.durable.last ?? 0, what)
                // What an exporter has got before is not another record now.
                for record in records { #expect(work.seen[record.sequence].map { $0 == record.number } ?? true, what) }
                #expect(Set(work.seen.values).union(numbers).isSuperset(of: work.durable), what)
                #expect(core.state.readers[reader].unsettled == Load(), what)
            }
            // A lost record is one that nobody was told was kept for good.
            for gap in core.gaps { #expect(!gap.sequences.contains { work.seen[$0] != nil }, what) }
        }

        /// An exporter may know a record that a power cut has taken from the journal, and its cursor with it. A record
        /// of the same sequence would be taken for one that it has.
        @Test func withoutDurabilityNoSequenceIsUsedTwice() throws {
            for seed in 0..<40 as Range<UInt64> {
                let disk = SimulatedDisk(seed: seed)
                let limits = JournalWork.limits(.none)
                let core = try JournalCore(limits, on: disk)
                #expect(core.append([.numbered(1), .numbered(2), .numbered(3)]) == 3)
                let seen = try core.drain(0).map(\.sequence)
                #expect(seen.count == 3)
                let after = disk.afterCrash(seed: seed)
                let next = try JournalCore(limits, on: after)
                #expect(next.append([.numbered(4)]) == 1)
                let records = try next.drain(0)
                let last = try #require(records.last)
                #expect(last.number == 4 && last.sequence > seen[2], "seed \(seed)")
                #expect(!next.gaps.contains { $0.sequences.contains(last.sequence) }, "seed \(seed)")
                // Nor later, when it is not known any more what the first process did not sync.
                let safe = try JournalCore(JournalWork.limits(.fsync), on: after)
                #expect(safe.append([.numbered(5)]) == 1)
                #expect(try safe.drain(0).last.map { $0.sequence > last.sequence } == true, "seed \(seed)")
                #expect(after.contents[JournalRecovery.unsyncedName] == nil)
            }
        }

        @Test func whoOnlyLooksSeesTheRecordsThatAreThere() throws {
            let disk = SimulatedDisk(seed: 1)
            let core = try JournalCore(JournalWork.limits(.none), on: disk)
            #expect(core.append([.numbered(1), .numbered(2)]) == 2)
            let text = JournalStatusCommand.text(
                "traces", try JournalRecovery(disk, isReadOnly: true), now: Timestamp(nanoseconds: 1))
            #expect(text.contains("  records 1 to 2: 2 records, "), "\(text)")
        }

        /// Once the segments in front of it are gone, a jump is all that is left to see.
        @Test func aJumpIsNoGap() throws {
            let disk = SimulatedDisk(seed: 1)
            let limits = JournalWork.limits(.none)
            let first = try JournalCore(limits, on: disk)
            #expect(first.append([.numbered(1)]) == 1)
            #expect(try first.drain(0).count == 1)
            try first.writeCursors()
            let second = try JournalCore(limits, on: disk)
            #expect(second.append([.numbered(2)]) == 1)
            #expect(second.append([.numbered(3)]) == 1)
            #expect(second.state.segments.count == 1, "the first segment is done with")
            let third = try JournalCore(limits, on: disk)
            #expect(try third.drain(0).compactMap(\.number) == [2, 3])
            #expect(first.gaps + second.gaps + third.gaps == [])
        }

        @Test(arguments: [Durability.fsync, .interval])
        func whatWasPromisedIsThereAfterAPowerCut(_ durability: Durability) async throws {
            let limits = JournalWork.limits(durability)
            for number in 1...countOperations(limits) {
                await Task.yield()
                let disk = SimulatedDisk(seed: 1)
                disk.crash(at: number)
                let work = work(disk, limits)
                for seed in 0..<6 as Range<UInt64> {
                    try check(disk.afterCrash(seed: seed), limits, after: work, "operation \(number), seed \(seed)")
                }
            }
        }

        @Test func thePowerMayFailAgainDuringTheRecovery() async throws {
            let limits = JournalWork.limits()
            for number in stride(from: 1, through: countOperations(limits), by: 7) {
                await Task.yield()
                let first = SimulatedDisk(seed: 1)
                first.crash(at: number)
                let work = work(first, limits)
                for second in stride(from: 1, to: 40, by: 2) {
                    let disk = first.afterCrash(seed: UInt64(second))
                    disk.crash(at: second)
                    _ = try? JournalCore(limits, for: JournalWork.destinations, on: disk)
                    let what: Comment = "operations \(number) and \(second)"
                    try check(disk.afterCrash(seed: UInt64(number)), limits, after: work, what)
                }
            }
        }

        /// The process ends, its successor delivers what it finds, and then the power fails.
        @Test(arguments: [Durability.fsync, .interval])
        func whatASuccessorFindsIsDurable(_ durability: Durability) async throws {
            let limits = JournalWork.limits(durability)
            for number in 1...countOperations(limits) {
                await Task.yield()
                let disk = SimulatedDisk(seed: 1)
                disk.crash(at: number)
                let before = work(disk, limits)
                disk.goOn()
                let core = try JournalCore(limits, for: JournalWork.destinations, on: disk)
                let found = try core.drain(1)
                for seed in 0..<4 as Range<UInt64> {
                    let what: Comment = "operation \(number), seed \(seed)"
                    let after = try JournalCore(limits, for: JournalWork.destinations, on: disk.afterCrash(seed: seed))
                    #expect(
                        Set(before.seen.values).union(found.map { $0.number ?? 0 }).isSuperset(of: before.kept), what)
                    let again = try after.drain(1).map(\.sequence)
                    #expect(again == found.map(\.sequence), what)
                }
            }
        }
    }
}

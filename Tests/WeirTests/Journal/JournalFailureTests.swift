import Testing

@testable import Weir

extension JournalSimulation {
    /// A disk that refuses an operation, once or for good.
    @Suite struct JournalFailureTests {
        private static let seed: UInt64 = 5

        /// How many operations the work takes, and the opening among them.
        private func countOperations() throws -> (opening: Int, all: Int) {
            let disk = SimulatedDisk(seed: Self.seed)
            let core = try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
            let opening = disk.count()
            var work = JournalWork()
            work.run(core)
            #expect(work.refused == [])
            return (opening, disk.count())
        }

        /// What an exporter finds that had got nothing: the numbers of the entries.
        private func reopen(_ disk: SimulatedDisk, _ what: Comment) throws -> (numbers: [Int], core: JournalCore) {
            let core = try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
            return (try core.drain(1).compactMap(\.number), core)
        }

        @Test(arguments: [false, true], [false, true])
        func whatWasKeptIsThereAndWhatWasRefusedIsNot(isLasting: Bool, isFull: Bool) async throws {
            let (opening, all) = try countOperations()
            for number in opening + 1...all {
                await Task.yield()
                let disk = SimulatedDisk(seed: Self.seed)
                let core = try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
                disk.fail(at: number, isLasting: isLasting, isFull: isFull)
                var work = JournalWork()
                work.run(core)
                let what: Comment = "operation \(number)"
                #expect(isLasting || work.refused.count <= 4, what)
                disk.repair()
                try core.prepare()
                work.append(1, 10, to: core)
                #expect(work.kept.last == 17, what)
                #expect(core.gaps == [], what)
                let before = Set(work.seen.values)
                let (numbers, reopened) = try reopen(disk, what)
                #expect(reopened.gaps == [], what)
                #expect(numbers == Array(work.kept.suffix(numbers.count)), what)
                #expect(before.union(numbers).isSuperset(of: work.kept), what)
                #expect(reopened.state.readers[1].unsettled == Load(), what)
            }
        }

        @Test func whatWasKeptBeforeThePowerWasCutIsThere() async throws {
            let (opening, all) = try countOperations()
            for number in opening + 1...all {
                await Task.yield()
                let disk = SimulatedDisk(seed: Self.seed)
                let core = try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
                disk.fail(at: number, isLasting: number.isMultiple(of: 2))
                var work = JournalWork()
                work.run(core)
                disk.repair()
                for seed in 0..<4 as Range<UInt64> {
                    let what: Comment = "operation \(number), seed \(seed)"
                    let (numbers, reopened) = try reopen(disk.afterCrash(seed: seed), what)
                    #expect(Set(work.seen.values).union(numbers).isSuperset(of: work.kept), what)
                    #expect(!reopened.gaps.contains { $0.reason == .missing }, what)
                }
            }
        }

        @Test func anOpeningThatFailsHarmsNothing() async throws {
            let disk = SimulatedDisk(seed: Self.seed)
            var work = JournalWork()
            work.run(try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk))
            let whole = disk.afterCrash(seed: 1)
            let expected = try reopen(disk.afterCrash(seed: 1), "").numbers
            #expect(!expected.isEmpty)
            for number in 1...200 {
                await Task.yield()
                let disk = whole.afterCrash(seed: 1)
                disk.fail(at: number)
                _ = try? JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
                disk.repair()
                let what: Comment = "operation \(number)"
                let (numbers, reopened) = try reopen(disk, what)
                #expect(numbers == expected, what)
                #expect(reopened.gaps == [], what)
            }
        }

        /// The name of a segment that holds nothing is taken by the next, again and again.
        @Test func aDiskThatFailsForLongTakesNoRoom() throws {
            let disk = SimulatedDisk(seed: Self.seed)
            let core = try JournalCore(JournalWork.limits(), for: JournalWork.destinations, on: disk)
            for operation in [SimulatedDisk.Operation.sync, .write, .syncNames, .rename] {
                var work = JournalWork()
                disk.fail(operation, at: 1, isLasting: true)
                for _ in 0..<40 {
                    work.append(1, 1_000, to: core)
                    try? core.prepare()
                }
                #expect(work.kept == [])
                disk.repair()
                try core.prepare()
                work.append(1, 1_000, to: core)
                #expect(work.kept.count == 1, "\(operation)")
                let size = disk.contents.filter { $0.key.hasSuffix(".seg") }.reduce(0) { $0 + $1.value.count }
                #expect(core.fileBytes == size, "\(operation)")
            }
        }

        /// A sync fails, so what it was to make durable is written again, in larger groups that do not fit any more.
        @Test func whatIsWrittenAgainElsewhereIsThereOnce() throws {
            var limits = JournalLimits.small(segmentBytes: 94 * 512)
            limits.durability = .interval
            // With a header of 80 bytes and the tenant's name these take 96 and 112 bytes.
            let sizes =
                [[15, 15]] + [
                    Array(repeating: 15, count: 160),
                    Array(repeating: 15, count: 10) + Array(repeating: 31, count: 96) + Array(repeating: 15, count: 54),
                    Array(repeating: 15, count: 154),
                ]
            for number in 0...60 {
                let disk = SimulatedDisk(seed: Self.seed)
                let core = try JournalCore(limits, on: disk)
                var count = 0
                for group in sizes {
                    let entries = group.map { bytes in
                        count += 1
                        return JournalEntry.numbered(count, bytes: bytes)
                    }
                    #expect(core.append(entries) == group.count)
                    if group.count == 2 { try core.sync() }
                }
                #expect(core.state.head == 3, "all of it waits")
                disk.fail(.sync, at: disk.count(of: .sync) + 1, isLasting: true)
                #expect(throws: DiskError.self) { try core.sync() }
                disk.fail(at: disk.count() + number, isLasting: true)
                _ = try? core.sync()
                disk.repair()
                try core.sync()
                let what: Comment = "operation \(number)"
                let reopened = try JournalCore(limits, on: disk.afterCrash(seed: UInt64(number)))
                #expect(reopened.state.readers[0].unsettled.records == count, what)
                #expect(reopened.gaps == [], what)
                for core in [core, reopened] {
                    #expect(try core.drain().compactMap(\.number) == Array(1...count), what)
                }
            }
        }
    }
}

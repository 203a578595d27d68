import Testing

@testable import Weir

/// A journal on a disk that fails and loses power, beside plain lists of what it should hold.
struct JournalModel {
    struct Kept {
        let number: Int
        let load: Load
    }

    struct Reader {
        let destination: Journal.Destination
        /// Sequences that some process was given.
        var delivered: Set<UInt64> = []
        /// Those that this process was given.
        var given: Set<UInt64> = []
        var committed: Set<UInt64> = []
        /// Those of which it was said that it does not get them.
        var missed: Set<UInt64> = []
        /// Some above its cursor was done before it was opened, so that nobody knows how much it skips.
        var isVague = false
        /// How far it was when that was last written down.
        var written = Cursor(next: 1)

        func isDone(_ sequence: UInt64) -> Bool {
            committed.contains(sequence) || missed.contains(sequence)
                || destination.onFull == .skip && delivered.contains(sequence)
        }
    }

    let seed: UInt64
    var random: SplitMix64
    var limits: JournalLimits
    var core: JournalCore
    var readers: [Reader]
    /// What is kept, by sequence.
    var kept: [UInt64: Kept] = [:]
    /// Everything below it survives a power cut.
    var durableBelow: UInt64 = 1
    /// Refused, while nothing was written since: after a restart they may be there.
    var uncertain: Set<Int> = []
    var number = 0
    var gapsTaken = 0
    /// The disk has failed nothing yet.
    var isSound = true

    var what: Comment { "seed \(seed), entry \(number)" }

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        let segmentBytes = random.pick([1_024, 2_048, 4_096])
        limits = .small(maxBytes: random.pick([16, 20, 1_000]) * segmentBytes, segmentBytes: segmentBytes)
        limits.durability = random.pick([.fsync, .fsync, .interval])
        limits.cachedBytes = random.pick([0, 1_000, 1 << 20])
        let policies = random.pick([[FullPolicy.refuse, .refuse], [.refuse, .skip], [.skip, .skip]])
        readers = zip(["a", "b"], policies).map { Reader(destination: .init($0, $1)) }
        let disk = SimulatedDisk(seed: seed, capacity: random.pick([14 * segmentBytes, 1 << 30]))
        core = try JournalCore(limits, for: readers.map(\.destination), on: disk)
    }

    /// Does something at random.
    mutating func step() throws {
        switch random.below(100) {
        case 0..<35: try append()
        case 35..<60: try read(random.below(2))
        case 60..<80: commit(random.below(2))
        case 80..<84: writeCursors()
        case 84..<88: core.release()
        case 88..<92: prepare()
        case 92..<94: breakDisk()
        case 94..<96: repair()
        case 96..<98 where isSound: try reopen(isCrash: false)
        // What a sync that failed has left out, a new process cannot know.
        default: try reopen(isCrash: true)
        }
        try takeGaps()
        try check()
    }

    /// Lets everybody read to the end, and compares.
    mutating func finish() throws {
        repair()
        for isReopened in [false, true] {
            // What was not durable waits for the room that the rest leaves.
            for _ in 0..<2 {
                core.release()
                prepare()
                for reader in readers.indices { try drain(reader) }
            }
            for reader in readers.indices {
                let missing = Set(kept.keys).subtracting(readers[reader].delivered).subtracting(readers[reader].missed)
                try #require(missing == [], what)
                try #require(core.state.readers[reader].unsettled == Load(), what)
            }
            try check()
            core.release()
            try #require(core.state.usedBytes == 0, what)
            try #require(core.state.segments.count <= 1, what)
            if !isReopened { try reopen(isCrash: !isSound) }
        }
        let names = core.disk.contents.keys.filter { $0.hasSuffix(".seg") && $0 != JournalLog.spareName }
        try #require(names.count <= 2, what)
    }

    private mutating func drain(_ reader: Int) throws {
        while try read(reader) {}
        let given = readers[reader].given.sorted()
        if let first = given.first, let last = given.last { core.commit(reader, first...last) }
        readers[reader].committed.formUnion(given)
        try takeGaps()
    }

    private mutating func append() throws {
        let entries = (0..<random.pick([1, 1, 2, 5])).map { _ in
            number += 1
            return JournalEntry.numbered(
                number, bytes: random.pick([5, 100, 400, 1_500]), spans: random.below(4))
        }
        let count = core.append(entries)
        if count > 0 { uncertain = [] }
        for (index, entry) in entries.prefix(count).enumerated() {
            let sequence = core.nextSequence - UInt64(count - index)
            try #require(kept[sequence] == nil, what)
            kept[sequence] = Kept(
                number: number - entries.count + 1 + index,
                load: Load(records: 1, spans: entry.spanCount, bytes: entry.size))
        }
        uncertain.formUnion(number - entries.count + 1 + count..<number + 1)
        if limits.durability == .fsync { durableBelow = core.nextSequence }
    }

    @discardableResult private mutating func read(_ reader: Int) throws -> Bool {
        guard let records = try? core.read(reader, maxSpans: random.below(20), maxBytes: random.below(4_000)) else {
            return false
        }
        for record in records {
            try #require(kept[record.sequence]?.number == record.number, what)
            try #require(record.sequence > readers[reader].given.max() ?? 0, what)
            readers[reader].given.insert(record.sequence)
            readers[reader].delivered.insert(record.sequence)
        }
        return !records.isEmpty
    }

    /// Some of what is under way, from anywhere in it.
    private mutating func commit(_ reader: Int) {
        let underWay = readers[reader].given.subtracting(readers[reader].committed).sorted()
        guard !underWay.isEmpty else { return }
        let first = random.below(underWay.count)
        let last = min(first + random.below(5), underWay.count - 1)
        core.commit(reader, underWay[first]...underWay[last])
        readers[reader].committed.formUnion(underWay[first...last])
    }

    private mutating func writeCursors() {
        guard (try? core.writeCursors()) != nil else { return }
        for (index, reader) in core.state.readers.enumerated() { readers[index].written = reader.cursor }
    }

    private mutating func prepare() {
        if (try? core.prepare()) != nil { uncertain = [] }
        if (try? core.sync()) != nil { durableBelow = core.nextSequence }
    }

    private mutating func breakDisk() {
        isSound = false
        core.disk.fail(
            at: core.disk.count() + 1 + random.below(12), isLasting: random.chance(50), isFull: random.chance(50))
    }

    mutating func repair() { core.disk.repair() }

    mutating func takeGaps() throws {
        for gap in core.gaps[gapsTaken...] {
            // What is kept is not lost; what was let go of may be missed where no cursor could be written down.
            let isLost = gap.reason != .skipped && limits.durability == .fsync
            let lost = isLost ? gap.sequences.filter { kept[$0] != nil } : []
            try #require(lost == [], what)
            for index in readers.indices
            where gap.exporter ?? readers[index].destination.name == readers[index].destination.name {
                readers[index].missed.formUnion(gap.sequences)
            }
        }
        gapsTaken = core.gaps.count
    }
}

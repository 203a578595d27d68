@testable import Weir

/// Some work on a journal that is cut short by its disk, and what was said about it.
struct JournalWork {
    static let destinations: [Journal.Destination] = [.init("a"), .init("b")]

    /// Numbers of the entries in the order in which they were said to be kept.
    private(set) var kept: [Int] = []
    /// Those that a power cut must leave.
    private(set) var durable: [Int] = []
    private(set) var refused: Set<Int> = []
    /// What exporters were given, by its sequence.
    private(set) var seen: [UInt64: Int] = [:]
    private var number = 0

    static func limits(_ durability: Durability = .fsync) -> JournalLimits {
        var limits = JournalLimits.small(maxBytes: 16 * 2_048, segmentBytes: 2_048)
        limits.durability = durability
        return limits
    }

    /// Appends groups of small and large entries, while `a` takes everything, `b` half of it.
    mutating func run(_ core: JournalCore) {
        for (count, bytes) in [(2, 300), (1, 900), (3, 100), (2, 20), (1, 2_500), (1, 500), (4, 300), (2, 700)] {
            append(count, bytes, to: core)
            if core.limits.durability == .interval, count.isMultiple(of: 2), (try? core.sync()) != nil {
                durable = kept
            }
            if let records = try? core.read(0, maxSpans: 4) { take(records, 0, core) }
            if count > 1, let records = try? core.read(1, maxSpans: 2) { take(records, 1, core) }
            try? core.writeCursors()
            core.release()
            try? core.prepare()
        }
    }

    mutating func append(_ count: Int, _ bytes: Int, to core: JournalCore) {
        let entries = (1...count).map { JournalEntry.numbered(number + $0, bytes: bytes) }
        let taken = core.append(entries)
        kept += number + 1..<number + 1 + taken
        refused.formUnion(number + 1 + taken..<number + 1 + count)
        if core.limits.durability == .fsync { durable = kept }
        number += count
    }

    private mutating func take(_ records: [JournalRecord], _ reader: Int, _ core: JournalCore) {
        for record in records { seen[record.sequence] = record.number }
        if let first = records.first, let last = records.last { core.commit(reader, first.sequence...last.sequence) }
    }
}

@testable import Weir

/// A journal without its tasks: what its writer and its readers do, one thing after the other, so that a seed repeats
/// it.
final class JournalCore {
    let disk: SimulatedDisk
    let limits: JournalLimits
    private(set) var gaps: [JournalGap] = []
    private(set) var events: [JournalEvent] = []
    private var parts: Journal.Parts
    private let stored: [Stored]

    /// What one exporter reads from the disk.
    private final class Stored {
        var records: StoredRecords

        init(_ disk: any JournalDisk) {
            records = StoredRecords(disk)
        }
    }

    init(
        _ limits: JournalLimits = .small(), for destinations: [Journal.Destination] = [.init("a")],
        on disk: SimulatedDisk, at now: Timestamp = Timestamp(nanoseconds: 1)
    ) throws(DiskError) {
        var heard: [JournalEvent] = []
        parts = try Journal.recover(from: disk, limits, for: destinations, at: now) { heard.append($0) }
        self.disk = disk
        self.limits = limits
        events = heard
        stored = destinations.map { _ in Stored(disk) }
        gaps = heard.compactMap { event in
            guard case .gap(let gap) = event else { return nil }
            return gap
        }
    }

    var state: JournalState { parts.state }
    var recoveredThrough: UInt64 { parts.recoveredThrough }
    var nextSequence: UInt64 { parts.log.nextSequence }
    var fileBytes: Int { parts.log.fileBytes }
    var isTorn: Bool {
        events.contains { event in
            guard case .torn = event else { return false }
            return true
        }
    }

    /// Appends what the journal has room for.
    /// - Returns: how many of the entries are kept, from the first on.
    func append(_ entries: [JournalEntry], at now: Timestamp = Timestamp(nanoseconds: 1)) -> Int {
        var taken: [JournalEntry] = []
        for entry in entries {
            parts.state.makeRoom(for: entry)
            gaps += parts.state.takeGaps()
            guard parts.state.refusal(of: entry) == nil else { break }
            parts.state.queuedBytes += entry.size
            taken.append(entry)
        }
        release(at: now)
        let (count, _) = parts.log.append(taken, at: now)
        publish()
        for entry in taken { parts.state.queuedBytes -= entry.size }
        return count
    }

    /// For `durability: interval`.
    func sync(at now: Timestamp = Timestamp(nanoseconds: 1)) throws(DiskError) {
        defer { publish() }
        try parts.log.sync(at: now)
    }

    /// What the writer does while there is nothing to write.
    func prepare(at now: Timestamp = Timestamp(nanoseconds: 1)) throws(DiskError) {
        defer { publish() }
        try parts.log.prepare(at: now)
    }

    private func publish() { _ = parts.state.add(parts.log.takePlaced()) }

    /// As ``JournalReader/read(maxSpans:maxBytes:)``.
    func read(_ reader: Int = 0, maxSpans: Int = 8, maxBytes: Int = 4_096) throws(DiskError) -> [JournalRecord] {
        while true {
            defer { gaps += parts.state.takeGaps() }
            switch parts.state.next(reader, maxSpans: maxSpans, maxBytes: maxBytes) {
            case .nothing: return []
            case .memory(let records):
                if !records.isEmpty { return records }
            case .disk(let segment, let offset, let position):
                let found = try stored[reader].records.read(
                    segment, at: offset, from: position, before: parts.state.head, maxSpans: maxSpans,
                    maxBytes: maxBytes)
                for damage in found.damages { putAside(damage, of: found.place.segment) }
                let records = parts.state.read(reader, from: position, found.records, place: found.place)
                if let end = found.end { parts.state.pass(reader, to: end) }
                if let records, !records.isEmpty { return records }
            }
        }
    }

    private func putAside(_ damage: SegmentScan.Damage, of segment: UInt64) {
        let name = SegmentSummary.name(of: segment) + ".seg"
        let isNew = parts.quarantine.keep(damage.bytes, of: name) { events.append($0) }
        if isNew, let gap = damage.gap { gaps.append(gap) }
    }

    /// Everything that there is for a reader, as committed.
    func drain(_ reader: Int = 0) throws(DiskError) -> [JournalRecord] {
        var all: [JournalRecord] = []
        while true {
            let records = try read(reader)
            guard let first = records.first, let last = records.last else { return all }
            all += records
            commit(reader, first.sequence...last.sequence)
        }
    }

    func commit(_ reader: Int = 0, _ sequences: ClosedRange<UInt64>) {
        _ = parts.state.commit(reader, sequences)
    }

    /// Writes down how far the exporters are; a power cut may still take it away.
    func writeCursors() throws(DiskError) {
        for (index, reader) in parts.state.readers.enumerated() where parts.cursors[index].cursor != reader.cursor {
            try parts.cursors[index].write(reader.cursor, durableBelow: parts.log.keptBelow)
        }
    }

    func scrub(at now: Timestamp = Timestamp(nanoseconds: 1)) throws(DiskError) {
        defer { publish() }
        if let begun = try parts.log.scrub(at: now) { parts.state.begin(begun) }
    }

    /// Lets go of what everybody has passed.
    func release(at now: Timestamp = Timestamp(nanoseconds: 1)) {
        guard parts.state.hasReleasable else { return }
        let passed = parts.state.readers.map(\.cursor)
        for (index, cursor) in passed.enumerated() {
            guard (try? parts.cursors[index].keep(cursor, durableBelow: parts.log.keptBelow)) != nil else { return }
        }
        try? parts.log.release(parts.state.takeReleasable(below: passed.map(\.next).min() ?? .max))
        parts.log.forgetIndexes(below: parts.state.segments.first?.firstSequence ?? parts.state.head, at: now)
    }
}

extension JournalEntry {
    /// An entry that can be told from others, of the given number of bytes.
    static func numbered(_ number: Int, bytes: Int = 20, tenant: String = "t", spans: Int = 1) -> JournalEntry {
        let text = Array("\(number) ".utf8)
        let filler = UInt8(truncatingIfNeeded: number)
        let payload = text + [UInt8](repeating: filler, count: max(0, bytes - text.count))
        return JournalEntry(
            tenant: tenant, receivedAt: Timestamp(nanoseconds: UInt64(number)), spanCount: spans,
            payload: payload.withUnsafeBytes { .copying($0) })
    }
}

extension JournalRecord {
    /// Of the entry; nil where it is not, byte for byte, one that ``JournalEntry/numbered(_:bytes:tenant:spans:)`` made.
    var number: Int? {
        let bytes = Array(payload.bytes)
        guard let number = Int(String(decoding: bytes.prefix { $0 != 0x20 }, as: UTF8.self)) else { return nil }
        let expected = JournalEntry.numbered(number, bytes: bytes.count)
        return Array(expected.payload.bytes) == bytes && receivedAt == expected.receivedAt ? number : nil
    }
}

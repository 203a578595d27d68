/// What happens to spans that wait when a pipeline gets a stage, or loses it: they were taken under the old
/// configuration, and nothing of them may be lost or come twice.
enum StageHandover {
    struct Waiting: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private static let stageCursor = StageCourse.name + CursorFile.suffix

    /// The exporters read from the second journal from now on. What they have yet to get of the first one would not
    /// come to them any more.
    static func enter(
        _ directory: String, _ disk: any JournalDisk, for destinations: [Journal.Destination]
    ) throws {
        let names = try disk.names()
        let others = names.filter { $0.hasSuffix(CursorFile.suffix) && $0 != stageCursor }
        guard names.contains(JournalRecovery.identityName), !others.isEmpty else { return }
        let journal = try JournalRecovery(disk, isReadOnly: true)
        try refuseWaiting(
            in: journal, directory, for: destinations, "were taken before tail_sampling was configured",
            "run without it until they are delivered")
        for name in others { try disk.remove(name) }
        try disk.sync()
    }

    /// The exporters go on where the stage was: what is not decided is delivered. What it had kept must be delivered by
    /// then.
    static func leave(
        _ directory: String, _ disk: any JournalDisk, for destinations: [Journal.Destination]
    ) throws {
        guard try disk.names().contains(stageCursor) else { return }
        let first = try JournalRecovery(disk, isReadOnly: true)
        var cursor = first.cursors[StageCourse.name] ?? Cursor(next: first.nextSequence)
        let sampled = "\(directory)/\(StageCourse.directory)"
        if Directory.has("\(sampled)/\(JournalRecovery.identityName)") {
            try finish(&cursor, of: first, by: sampled, destinations)
        }
        // A copy of spans that are still in their first place.
        try forEachOrigin(in: first, on: disk, from: cursor) { origin, sequence in
            if origin.journal == first.journal, !cursor.isDone(origin.sequences.lowerBound) {
                cursor.finish(sequence...sequence)
            }
        }
        for destination in destinations {
            let exists = first.cursorFiles.contains(destination.name)
            var file = try CursorFile(destination.name + CursorFile.suffix, first.journal, disk, exists: exists)
            try file.write(cursor, durableBelow: first.durableBelow)
            try file.sync()
        }
        try disk.remove(stageCursor)
        try disk.sync()
    }

    /// Adds what the second journal says to be done.
    private static func finish(
        _ cursor: inout Cursor, of first: borrowing JournalRecovery, by directory: String,
        _ destinations: [Journal.Destination]
    ) throws {
        let disk = JournalDirectory(reading: directory)
        let second = try JournalRecovery(disk, isReadOnly: true)
        try refuseWaiting(
            in: second, directory, for: destinations, "tail_sampling has kept", "run with it until they are delivered")
        let from = second.cursors[StageCourse.name] ?? Cursor(next: 0)
        let journal = first.journal
        try forEachOrigin(in: second, on: disk, from: from) { origin, _ in
            if origin.journal == journal { cursor.finish(origin.sequences) }
        }
    }

    /// One that is not configured any more waits too: if it comes back, it is to go on where it was.
    private static func refuseWaiting(
        in journal: borrowing JournalRecovery, _ directory: String, for destinations: [Journal.Destination],
        _ which: String, _ wanted: String
    ) throws(Waiting) {
        let waiting = journal.unsettled.filter { $0.key != StageCourse.name && $0.value.spans > 0 }
            .sorted { $0.key < $1.key }
        guard !waiting.isEmpty else { return }
        let list = waiting.map { "\($0.key) \($0.value.spans)" }.joined(separator: ", ")
        let gone = waiting.map(\.key).filter { name in !destinations.contains { $0.name == name } }.map { name in
            "; \(name) is not configured any more: configure it until then, or give that up by removing "
                + "\(directory)/\(name)\(CursorFile.suffix)"
        }
        throw Waiting(
            description: "found spans in \(directory) that \(which) (\(list)), wanted none: \(wanted)"
                + gone.joined())
    }

    private static func forEachOrigin(
        in journal: borrowing JournalRecovery, on disk: any JournalDisk, from cursor: Cursor,
        _ body: (RecordOrigin, UInt64) -> Void
    ) throws {
        for segment in journal.segments where segment.end > cursor.next {
            var records = StoredRecords(disk)
            var position = max(cursor.next, segment.firstSequence)
            while position < segment.end {
                let found = try records.read(
                    segment, at: nil, from: position, before: segment.end, maxSpans: .max,
                    maxBytes: JournalReader.batchBytes)
                for (record, _) in found.records {
                    if let origin = record.section.origin { body(origin, record.sequence) }
                }
                guard let last = found.records.last?.record.sequence else { break }
                position = last + 1
            }
        }
    }
}

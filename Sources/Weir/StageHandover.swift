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
    /// - Parameter codec: nil where there is no keystore.
    static func leave(
        _ directory: String, _ disk: any JournalDisk, for destinations: [Journal.Destination],
        _ codec: (any RecordCodec)?
    ) async throws {
        guard try disk.names().contains(stageCursor) else { return }
        let first = try JournalRecovery(disk, isReadOnly: true)
        var cursor = first.cursors[StageCourse.name] ?? Cursor(next: first.nextSequence)
        var names = Set(destinations.map(\.name))
        let sampled = "\(directory)/\(StageCourse.directory)"
        if Directory.has("\(sampled)/\(JournalRecovery.identityName)") {
            names.formUnion(try await finish(&cursor, of: first, by: sampled, destinations, codec))
        }
        var copies = VoidCopies(in: first.journal)
        try await forEachRecord(in: first, directory, on: disk, from: cursor, codec) { copies.add($0) }
        for run in copies.runs { cursor.finish(run.sequences) }
        guard cursor.done.count <= CursorFile.room(disk) else {
            throw Waiting(
                description: "found \(cursor.done.count) places in \(directory) that tail_sampling is done with before "
                    + "others, wanted \(CursorFile.room(disk)) at most: run with it until it has decided")
        }
        for name in names.sorted() {
            let exists = first.cursorFiles.contains(name)
            var file = try CursorFile(name + CursorFile.suffix, first.journal, disk, exists: exists)
            try file.write(cursor, durableBelow: first.durableBelow)
            try file.sync()
        }
        try disk.remove(stageCursor)
        try disk.sync()
    }

    /// Adds what the second journal says to be done.
    /// - Returns: who has read from it. One that goes with the stage would be new when it comes back, and never get
    ///   what was not decided.
    private static func finish(
        _ cursor: inout Cursor, of first: borrowing JournalRecovery, by directory: String,
        _ destinations: [Journal.Destination], _ codec: (any RecordCodec)?
    ) async throws -> Set<String> {
        let disk = JournalDirectory(reading: directory)
        let second = try JournalRecovery(disk, isReadOnly: true)
        try refuseWaiting(
            in: second, directory, for: destinations, "tail_sampling has kept", "run with it until they are delivered")
        let from = second.cursors[StageCourse.name] ?? Cursor(next: 0)
        let journal = first.journal
        try await forEachRecord(in: second, directory, on: disk, from: from, codec) { record in
            if let origin = record.section.origin, origin.journal == journal { cursor.finish(origin.sequences) }
        }
        return second.cursorFiles.subtracting([StageCourse.name])
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

    /// Those that are not done, as they were before they were encrypted.
    private static func forEachRecord(
        in journal: borrowing JournalRecovery, _ directory: String, on disk: any JournalDisk, from cursor: Cursor,
        _ codec: (any RecordCodec)?, _ body: (JournalRecord) -> Void
    ) async throws {
        for segment in journal.segments where segment.end > cursor.next {
            var records = StoredRecords(disk)
            var position = max(cursor.next, segment.firstSequence)
            while position < segment.end {
                let found = try records.read(
                    segment, at: nil, from: position, before: segment.end, maxSpans: .max,
                    maxBytes: JournalReader.batchBytes
                ).records.map(\.record)
                guard let last = found.last?.sequence else { break }
                try await open(found.filter { !cursor.isDone($0.sequence) }, directory, codec).forEach(body)
                position = last + 1
            }
        }
    }

    /// Where a record comes from is encrypted with its spans.
    /// - Returns: those that can still be had.
    private static func open(
        _ records: [JournalRecord], _ directory: String, _ codec: (any RecordCodec)?
    ) async throws(Waiting) -> [JournalRecord] {
        guard records.contains(where: { $0.codec != 0 }) else { return records }
        if let found = await codec?.open(records, while: nil), found.sealed == 0 { return found.records }
        throw Waiting(
            description: "found records in \(directory) whose keys are away, wanted them: they say what tail_sampling "
                + "has done")
    }
}

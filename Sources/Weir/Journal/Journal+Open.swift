extension Journal {
    /// An exporter of the pipeline.
    struct Destination: Sendable {
        /// Under which its cursor is kept: letters, digits, `_`, `-`, `.` and `~`.
        let name: String
        let onFull: FullPolicy
    }

    /// What a journal is made of: everything that has states.
    struct Parts: ~Copyable {
        var log: JournalLog
        var state: JournalState
        var dedupe: DedupeWindow
        /// In the order of the destinations.
        var cursors: [CursorFile] = []
        var quarantine: Quarantine
        let recoveredThrough: UInt64
    }

    /// Opens the journal on a disk, or begins one.
    /// - Parameters:
    ///   - parked: spans that are set aside for exporters, by name.
    ///   - executor: makes something that runs one job at a time on a thread of its own, by name.
    static func open(
        on disk: any JournalDisk, _ limits: JournalLimits, for destinations: [Destination],
        parked: [String: Int] = [:], codec: (any RecordCodec)? = nil,
        executor: @escaping @Sendable (String) -> any SerialExecutor,
        clock: @escaping @Sendable () -> Timestamp,
        events: @escaping @Sendable (JournalEvent) -> Void
    ) throws(DiskError) -> (journal: Journal, writer: JournalWriter) {
        let parts = try recover(from: disk, limits, for: destinations, parked: parked, at: clock(), events)
        let journal = Journal(
            parts.log.journal, parts.state, parts.dedupe, on: disk, recoveredThrough: parts.recoveredThrough,
            codec: codec, executor: executor, events: events)
        let (cursors, quarantine) = (parts.cursors, parts.quarantine)
        let writer = JournalWriter(
            journal, parts.log, cursors, quarantine, executor: executor("writer"), clock: clock)
        return (journal, writer)
    }

    /// Finds what was acknowledged, puts aside what is damaged, and says what is missing.
    ///
    /// An exporter that is new gets what comes from now on. One that is not configured any more holds nothing back; if
    /// it comes back while its records are there, it goes on where it was.
    static func recover(
        from disk: any JournalDisk, _ limits: JournalLimits, for destinations: [Destination],
        parked: [String: Int] = [:], at now: Timestamp, _ events: (JournalEvent) -> Void
    ) throws(DiskError) -> Parts {
        var dedupe = DedupeWindow(length: limits.dedupeWindow, limit: limits.dedupeRequests)
        let start = ContinuousClock.now
        let recovery = try JournalRecovery(disk) { index in
            for entry in index.entries {
                // A clock that was set back since makes it young.
                let age = now.nanoseconds - min(now.nanoseconds, entry.receivedAt.nanoseconds)
                dedupe.finish(entry.key, at: start - .nanoseconds(Int64(clamping: age)), answer: entry.answer)
            }
        }
        var quarantine = try Quarantine(disk)
        try repair(recovery, &quarantine, events)
        try note(limits.durability, recovery)
        let names = Set(destinations.map(\.name))
        for gap in recovery.gaps where gap.exporter == nil { events(.gap(gap)) }
        tell(of: names, recovery, events)
        let waiting = recovery.unsettled.mapValues(\.spans).merging(parked, uniquingKeysWith: +)
        for (name, spans) in waiting.sorted(by: { $0.key < $1.key }) where !names.contains(name) && spans > 0 {
            events(.leftBehind(exporter: name, spans: spans))
        }
        var state = JournalState(
            limits, segments: recovery.segments, head: recovery.segments.last?.end ?? recovery.nextSequence,
            lost: recovery.gaps.filter { $0.exporter == nil })
        var files: [CursorFile] = []
        for destination in destinations {
            let place = try place(of: destination.name, recovery, head: state.head)
            _ = state.addReader(
                destination.name, onFull: destination.onFull, cursor: place.cursor, unsettled: place.unsettled)
            files.append(place.file)
        }
        try disk.sync()
        let recoveredThrough = recovery.nextSequence - 1
        var log = JournalLog(recovery, limits)
        do throws(DiskError) {
            try log.prepare(at: now)
        } catch {
            // What is there can still be delivered, which makes room.
            events(.trouble(error))
        }
        return Parts(
            log: log, state: state, dedupe: dedupe, cursors: files, quarantine: quarantine,
            recoveredThrough: recoveredThrough)
    }

    /// Where an exporter is, what it has not done, and the file that says so.
    /// - Parameter head: where one begins that is new.
    static func place(
        of name: String, _ recovery: borrowing JournalRecovery, head: UInt64
    ) throws(DiskError) -> (cursor: Cursor, unsettled: Load, file: CursorFile) {
        var cursor = recovery.cursors[name] ?? Cursor(next: head)
        cursor.skip(to: recovery.segments.first?.firstSequence ?? head)
        var file = try CursorFile(
            name + CursorFile.suffix, recovery.journal, recovery.disk, exists: recovery.cursorFiles.contains(name))
        try file.write(cursor, durableBelow: recovery.durableBelow)
        try file.sync()
        return (cursor, recovery.unsettled[name] ?? Load(), file)
    }

    /// What is wrong with the places of these exporters.
    static func tell(
        of names: Set<String>, _ recovery: borrowing JournalRecovery, _ events: (JournalEvent) -> Void
    ) {
        for name in recovery.damagedCursors where names.contains(name) {
            let what = "the cursor of \(name) is damaged: it gets everything that is there"
            events(.trouble(DiskError(description: what, isFull: false)))
        }
        for gap in recovery.gaps { if let exporter = gap.exporter, names.contains(exporter) { events(.gap(gap)) } }
    }

    private static func repair(
        _ recovery: borrowing JournalRecovery, _ quarantine: inout Quarantine, _ events: (JournalEvent) -> Void
    ) throws(DiskError) {
        let disk = recovery.disk
        try recovery.sync()
        if recovery.isTorn { events(.torn) }
        for stray in recovery.strays { try disk.remove(stray) }
        for damage in recovery.damages { quarantine.keep(damage.bytes, of: damage.name, events) }
        for (name, size) in recovery.unreadable { try quarantine.keepWhole(name, size: size, events) }
        for index in recovery.scanned { try? IndexFile.write(index, disk) }
        guard recovery.isUnidentified else { return }
        let identity = SegmentHeader(
            journal: recovery.journal, id: 0, firstSequence: 0, createdAt: Timestamp(nanoseconds: 0), isJump: false)
        let block = AlignedBuffer(capacity: disk.blockSize)
        identity.write(to: block.memory, disk)
        try? disk.remove(JournalRecovery.identityName)
        let file = try disk.create(JournalRecovery.identityName, size: disk.blockSize)
        try file.write(block.bytes, at: 0)
        try file.sync()
    }

    private static func note(
        _ durability: Durability, _ recovery: borrowing JournalRecovery
    ) throws(DiskError) {
        guard recovery.isUnsynced != (durability == .none) else { return }
        if recovery.isUnsynced { return try recovery.disk.remove(JournalRecovery.unsyncedName) }
        _ = try recovery.disk.create(JournalRecovery.unsyncedName, size: recovery.disk.blockSize)
    }
}

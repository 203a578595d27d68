/// The one who writes a journal to its disk, on a thread of its own.
actor JournalWriter {
    /// How long a cursor that has moved may wait before it is written down. What an exporter did since is done again
    /// after a crash, where its destination does not know better.
    static let cursorInterval = Duration.milliseconds(200)
    /// How often a disk that failed is tried again.
    static let retryInterval = Duration.seconds(1)
    /// How long whoever wants something else of it waits while requests do not end.
    static let turnInterval = Duration.milliseconds(10)

    private let journal: Journal
    private let executor: any SerialExecutor
    private var log: JournalLog
    private var cursors: [CursorFile]
    private var quarantine: Quarantine
    /// A cursor's file says that the records below it are kept.
    private var notedBelow: UInt64
    private let clock: @Sendable () -> Timestamp
    private var failure: DiskError?
    private var lastCursors = ContinuousClock.now
    private var lastSync = ContinuousClock.now
    private var lastTry = ContinuousClock.now - retryInterval
    private var lastTurn = ContinuousClock.now
    /// The machine is asked for nothing while there is nothing to do.
    private var hasUnsynced = false
    private var isFinished = false

    init(
        _ journal: Journal, _ log: consuming JournalLog, _ cursors: [CursorFile], _ quarantine: Quarantine,
        executor: any SerialExecutor, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.journal = journal
        notedBelow = log.keptBelow
        self.log = log
        self.cursors = cursors
        self.quarantine = quarantine
        self.executor = executor
        self.clock = clock
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Writes until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let isCursorTime = ContinuousClock.now - lastCursors >= Self.cursorInterval
            let group = journal.takeWork(withCursors: isCursorTime)
            putAside()
            // What exporters have passed makes room for the group.
            release()
            if !group.entries.isEmpty { write(group) }
            note(group.cursors)
            if group.entries.isEmpty, isCursorTime { noteRecords() }
            keepUp()
            if group.entries.isEmpty {
                await journal.writerWakeup.wait(for: pause())
            } else if ContinuousClock.now - lastTurn >= Self.turnInterval {
                lastTurn = .now
                await Task.yield()
            }
        }
    }

    private func write(_ group: Journal.Group) {
        let start = ContinuousClock.now
        let entries = group.entries
        let (count, error) = log.append(entries, at: clock())
        journal.publish(log.takePlaced())
        // Who is refused sees why.
        set(error)
        journal.answer(group, count: count, error: error)
        hasUnsynced = log.limits.durability == .interval
        if count > 0 {
            let bytes = entries.prefix(count).reduce(0) { $0 + $1.size }
            journal.report(.committed(records: count, bytes: bytes, after: .now - start))
        }
    }

    /// Everything that nobody waits for.
    private func keepUp() {
        let now = ContinuousClock.now
        if hasUnsynced, now - lastSync >= log.limits.syncInterval || failure != nil { sync() }
        if failure != nil || !log.hasSpare, now - lastTry >= Self.retryInterval {
            lastTry = now
            do throws(DiskError) {
                try log.prepare(at: clock())
                journal.publish(log.takePlaced())
                set(nil)
            } catch {
                // Without a spare the segment may still have room: then only an append that fails is a failure.
                if failure != nil || !log.hasSegment { set(error) }
            }
        }
    }

    /// Shows exporters what was answered, whenever the next sync would be.
    /// - Returns: whether a power cut leaves it there.
    @discardableResult func publish() -> Bool {
        hasUnsynced ? sync() : true
    }

    /// The next process may find what was refused, until something else can be written in its place.
    var holdsRefused: Bool { log.holdsRefused }

    /// What was answered is seen by exporters from here on.
    @discardableResult private func sync() -> Bool {
        lastSync = .now
        let isSynced = attempt { () throws(DiskError) in
            try log.sync(at: clock())
            hasUnsynced = false
        }
        journal.publish(log.takePlaced())
        return isSynced
    }

    /// Keeps what readers found damaged, and says what is lost with it.
    private func putAside() {
        for found in journal.takeDamages() {
            let isNew = quarantine.keep(found.damage.bytes, of: found.segment) { journal.report($0) }
            if isNew, let gap = found.damage.gap { journal.report(.gap(gap)) }
        }
    }

    /// Lets go of segments that every exporter has passed.
    private func release() {
        guard let passed = journal.cursorsForRelease, keep(passed) else { return }
        let (segments, oldest) = journal.takeReleasable(below: passed.compactMap(\.?.next).min() ?? .max)
        attempt { () throws(DiskError) in try log.release(segments) }
        log.forgetIndexes(below: oldest, at: clock())
    }

    private func note(_ passed: [Cursor?]) {
        guard !passed.isEmpty else { return }
        lastCursors = .now
        for case (let index, let cursor?) in passed.enumerated() where cursors[index].cursor != cursor {
            notedBelow = log.keptBelow
            attempt { () throws(DiskError) in try cursors[index].write(cursor, durableBelow: log.keptBelow) }
        }
    }

    private var hasUnnotedRecords: Bool { notedBelow < log.keptBelow }

    /// Writes down how far the records go, so that the next start knows whether the last ones are there. As long as
    /// more come, each says it of those before.
    private func noteRecords() {
        guard hasUnnotedRecords else { return }
        lastCursors = .now
        notedBelow = log.keptBelow
        for case (let index, let cursor?) in journal.cursors.enumerated() {
            attempt { () throws(DiskError) in try cursors[index].write(cursor, durableBelow: log.keptBelow) }
            return
        }
    }

    /// - Returns: whether they are where a power cut leaves them.
    private func keep(_ passed: [Cursor?]) -> Bool {
        attempt { () throws(DiskError) in
            for case (let index, let cursor?) in passed.enumerated() {
                try cursors[index].keep(cursor, durableBelow: log.keptBelow)
            }
        }
    }

    /// Writes down how far everybody is, for one who may not go on before a power cut cannot undo it.
    /// - Returns: whether that worked.
    @discardableResult func keepCursors() -> Bool {
        keep(journal.cursors)
    }

    /// Lets these exporters come, and those go that are neither among them nor among `kept`, while the journal goes on.
    /// Who reads under one of their names has ended; the new one goes on there.
    /// - Parameter parked: spans that are set aside for those that go, by name.
    /// - Returns: the places of those that come, in their order. Where it throws, nothing has changed, and it does not
    ///   where all have been here.
    func exchange(
        for destinations: [Journal.Destination], beside kept: Set<String>, parked: [String: Int] = [:]
    ) throws(DiskError) -> [JournalReader] {
        // Those that go may come back, and go on where their file says. Those that come are to see what was answered.
        publish()
        keepCursors()
        let here = journal.names
        var files: [String: CursorFile] = [:]
        var arrivals = destinations.map { Journal.Arrival(destination: $0, place: nil) }
        for (index, destination) in destinations.enumerated() where !here.contains(destination.name) {
            let (place, file) = try place(of: destination.name)
            files[destination.name] = file
            arrivals[index] = Journal.Arrival(destination: destination, place: place)
        }
        if !files.isEmpty { try log.disk.sync() }
        let (indices, left) = journal.seat(arrivals, beside: kept)
        for (index, destination) in zip(indices, destinations) {
            guard let file = files[destination.name] else { continue }
            if index < cursors.count { cursors[index] = file } else { cursors.append(file) }
        }
        for (name, unsettled) in left {
            let spans = unsettled + parked[name, default: 0]
            if spans > 0 { journal.report(.leftBehind(exporter: name, spans: spans)) }
        }
        return indices.map { journal.reader($0) }
    }

    /// Where one begins that has no place here.
    private func place(
        of name: String
    ) throws(DiskError) -> (place: (cursor: Cursor, unsettled: Load), file: CursorFile) {
        if try log.disk.names().contains(name + CursorFile.suffix) {
            // It has been here before. What it had not got is counted from the segments.
            let recovery = try JournalRecovery(log.disk, isReadOnly: true)
            let found = try Journal.place(of: name, recovery, head: journal.head)
            Journal.tell(of: [name], recovery) { journal.report($0) }
            return ((found.cursor, found.unsettled), found.file)
        }
        let cursor = Cursor(next: journal.head)
        var file = try CursorFile(name + CursorFile.suffix, journal.id, log.disk, exists: false)
        try file.keep(cursor, durableBelow: log.keptBelow)
        return ((cursor, Load()), file)
    }

    /// What is there is to leave no byte behind, once every exporter has it. Erasure asks for it.
    /// - Returns: whether it worked.
    func scrub() -> Bool {
        // Another one may write there by now. It is tried again with that one.
        guard !isFinished else { return false }
        return attempt { () throws(DiskError) in
            let begun = try log.scrub(at: clock())
            journal.publish(log.takePlaced())
            if let begun { journal.begin(begun) }
        }
    }

    /// At the end: the cursors survive a power cut as well, and say how far the records go.
    func finish() {
        isFinished = true
        var isDone = false
        while !isDone {
            let group = journal.takeWork(withCursors: false)
            if !group.entries.isEmpty { write(group) }
            isDone = group.entries.isEmpty
        }
        attempt { () throws(DiskError) in try log.sync(at: clock()) }
        putAside()
        keepCursors()
    }

    /// - Returns: whether it worked.
    @discardableResult private func attempt(_ body: () throws(DiskError) -> Void) -> Bool {
        do throws(DiskError) {
            try body()
            return true
        } catch {
            journal.report(.trouble(error))
            return false
        }
    }

    private func set(_ error: DiskError?) {
        failure = error
        journal.note(error)
    }

    /// How long there is nothing to do, if nobody says otherwise.
    private func pause() -> Duration? {
        var pause: Duration?
        func shorten(_ duration: Duration) { pause = min(pause ?? duration, max(duration, .milliseconds(1))) }
        if failure != nil || !log.hasSpare { shorten(lastTry + Self.retryInterval - .now) }
        if journal.hasMovedCursors || hasUnnotedRecords { shorten(lastCursors + Self.cursorInterval - .now) }
        if hasUnsynced { shorten(lastSync + log.limits.syncInterval - .now) }
        return pause
    }
}

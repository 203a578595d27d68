import Logging

/// Spans that were not kept, for a while: a journal that nobody reads, so that the oldest make room for the newest.
///
/// What cannot be written into it is left out: it promises nothing.
struct RecallRing: Sendable {
    /// Segments hold records of some time; they go together.
    private static let reader = "ring"

    let id: JournalID
    let directory: String
    private let journal: Journal
    private let writer: JournalWriter
    private let maxAge: UInt64
    /// What was called back: `SEQUENCE TRACE_ID` of the ring, a line each.
    let promoted: RecentLines

    /// - Parameters:
    ///   - files: where the stage has its files, beside the journal.
    ///   - reserve: what the journal leaves free on its disk. Where that is the ring's too, the ring leaves a segment
    ///     more, so that it is the first to give way.
    ///   - codec: nil where records are kept as they are.
    init(
        _ configuration: RecallConfiguration, beside files: String, leaving reserve: Int = 0,
        codec: (any RecordCodec)? = nil, _ logger: Logger
    ) throws(DiskError) {
        do throws(FileError) {
            promoted = try RecentLines(
                TailSamplingRun.promoted, in: configuration.directory, maxBytes: TailSamplingRun.promotedBytes)
        } catch {
            throw DiskError(error)
        }
        var limits = JournalLimits(maxBytes: configuration.maxBytes.bytes)
        limits.tenantBytes = limits.maxBytes
        limits.durability = .none
        limits.cachedBytes = 0
        if reserve > 0, FileStamp(of: configuration.directory)?.isBeside(FileStamp(of: files)) ?? false {
            limits.minFreeBytes = reserve + limits.segmentBytes
        }
        (journal, writer) = try Journal.open(
            on: try JournalDirectory("\(configuration.directory)/ring"), limits,
            for: [Journal.Destination(name: Self.reader, onFull: .skip)], codec: codec,
            executor: { BlockingExecutor(label: "weir.recall.\($0)") }, clock: { Timestamp.now() },
            events: { event in
                if case .failed(let error) = event {
                    logger.warning("cannot keep what was not kept", metadata: ["error": "\(error)"])
                }
            })
        id = journal.id
        directory = configuration.directory
        maxAge = configuration.maxAge.inNanoseconds
    }

    /// What is older is gone.
    var first: UInt64 { journal.reader(0).cursor.next }

    /// All that is in it.
    var load: Load { journal.unsettled(0) }

    /// What may have come since then begins there.
    func first(since time: Timestamp) -> UInt64 { max(first, journal.firstSequence(notBefore: time)) }

    func run() async {
        await writer.run()
        await writer.finish()
    }

    /// - Parameter now: from when on it is there; its spans keep when they came.
    /// - Returns: whether there was room.
    func add(_ entry: JournalEntry, at now: Timestamp) async -> Bool {
        do throws(Refusal) {
            _ = try await journal.append(entry.leftOut(at: now))
            return true
        } catch {
            return false
        }
    }

    /// Lets go of segments whose records are all too old.
    func expire(at now: Timestamp) {
        let reader = journal.reader(0)
        let next = reader.cursor.next
        let young = journal.firstSequence(notBefore: oldest(at: now))
        if young > next { reader.commit(next...young - 1) }
    }

    /// Whether what is left out now comes into it.
    var canWrite: Bool { journal.status.failure == nil }

    /// Where the disk has no room for a segment more, the oldest makes way.
    func makeRoom() {
        guard journal.status.failure?.isFull == true, let (oldest, head) = journal.segment(of: first),
            oldest.end < head
        else { return }
        journal.reader(0).commit(first...oldest.end - 1)
    }

    /// Some records that are young enough.
    /// - Returns: nil where nothing is left; else what is to be read next, too.
    func read(
        from position: UInt64, at now: Timestamp
    ) async throws(DiskError) -> (records: [JournalRecord], next: UInt64)? {
        let records = try await journal.reader(0).readAgain(from: position)
        guard let last = records.last else { return nil }
        return (records.filter { $0.receivedAt >= oldest(at: now) }, last.sequence + 1)
    }

    func close() { journal.close() }

    private func oldest(at now: Timestamp) -> Timestamp {
        Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, maxAge))
    }
}

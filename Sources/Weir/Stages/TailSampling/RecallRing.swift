import Logging

/// Spans that were not kept, for a while: a journal that nobody reads, so that the oldest make room for the newest.
///
/// What cannot be written into it is left out: it promises nothing.
struct RecallRing: Sendable {
    /// Segments hold records of some time; they go together.
    private static let reader = "ring"

    let id: JournalID
    let directory: String
    private let disk: JournalDirectory
    private let journal: Journal
    private let writer: JournalWriter
    private let maxAge: UInt64
    /// What was called back: `SEQUENCE TRACE_ID` of the ring, a line each.
    let promoted: RecentLines

    /// - Parameters:
    ///   - files: where the stage has its files, beside the journal.
    ///   - reserve: what the journals want on their disk. Where that is the ring's too, the ring is the first to give
    ///     way.
    ///   - codec: nil where records are kept as they are.
    init(
        _ configuration: RecallConfiguration, beside files: String, leaving reserve: Int,
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
        limits.reusesSegments = false
        if FileStamp(of: configuration.directory)?.isBeside(FileStamp(of: files)) ?? false {
            limits.minFreeBytes = reserve
        }
        disk = try JournalDirectory("\(configuration.directory)/ring")
        (journal, writer) = try Journal.open(
            on: disk, limits, for: [Journal.Destination(name: Self.reader, onFull: .skip)], codec: codec,
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

    /// Lets go of segments whose records are all too old, and begins a new one where the newest is: so what is in it
    /// goes after twice that time, however little comes.
    func expire(at now: Timestamp) async {
        let oldest = oldest(at: now)
        let young = journal.firstSequence(notBefore: oldest)
        if young > first { journal.skip(0, to: young) }
        let newest = journal.firstSequence(notBefore: Timestamp(nanoseconds: .max))
        guard let (segment, _) = journal.segment(of: newest), segment.header.createdAt < oldest else { return }
        _ = await writer.scrub()
    }

    /// Where the disk is short, the oldest makes way: for the others there, and for the newest, where that waits for a
    /// segment. What is written to stays.
    func makeRoom() {
        let own = journal.status.failure?.isFull == true ? journal.limits.segmentBytes : 0
        var missing = journal.limits.minFreeBytes + own - ((try? disk.freeBytes()) ?? .max)
        while missing > 0, let (oldest, head) = journal.segment(of: first), oldest.end < head {
            journal.skip(0, to: oldest.end)
            missing -= oldest.size
        }
    }

    /// Some records that are young enough. Nothing is left where what is to be read next is where this began.
    func read(from position: UInt64, at now: Timestamp) async throws(DiskError) -> JournalReader.Again {
        var again = try await journal.reader(0).readAgain(from: position, waits: false)
        again.records.removeAll { $0.receivedAt < oldest(at: now) }
        return again
    }

    func close() { journal.close() }

    private func oldest(at now: Timestamp) -> Timestamp {
        Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, maxAge))
    }
}

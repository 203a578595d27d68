import Logging

/// Sends spans as runs to LangSmith, or to what speaks its protocol. `docs/langsmith.md` says what becomes of a span.
///
/// A batch waits here, within `export`, until the ancestors of its spans are known or `trace_grace` is over; until then
/// its records are the journal's, and come again after a restart. Its requests are then made from nothing but the
/// spans and what was fixed of their traces, one piece of it after the other, so a retry makes the same again.
actor LangSmithExporter: Exporter {
    static let type = "langsmith"
    static let help = "Sends spans as runs to LangSmith."
    /// Batches that wait are attempts that take long, and there are as many as come in that time.
    static let deliveryDefaults = DeliveryDefaults(
        timeout: .zero, consumers: 64, waitsForLater: true, maxBytes: .mebibytes(1))

    /// Operations that are remembered of batches that are not done.
    static let maxDelivered = 1 << 18
    /// Bytes of runs that are written before the first of them is sent; with the run that reaches them a piece ends. A
    /// small batch may become many runs, and each of them large.
    static let maxWritten = 8 << 20
    /// For a usual request as a whole.
    static let compressorRoom = 512 << 10

    let configuration: LangSmithConfiguration
    let logger: Logger
    let telemetry: LangSmithTelemetry
    let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let component: ComponentID
    let hidesAnswers: Bool
    let client: HTTPClient
    /// By account.
    var servers: [UInt64: LangSmithServer] = [:]
    let buckets: RequestBuckets
    var index: TraceIndex
    /// Nil until the first batch says which journal it is of.
    var files: PlaceFiles?
    /// After files that could not be written.
    private static let takeOverPause = Duration.seconds(60)
    private var nextTakeOver = ContinuousClock.now
    private var held: HeldBatches
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var lastID = 0
    private var order = SendingOrder()
    private var patient: [Int: [CheckedContinuation<Void, Never>]] = [:]
    var writer = RunWriter()
    var body = JSONWriter(capacity: 256 << 10)
    /// Nil before the first request.
    var compressor: Compressor?
    var batch = Batch(decodedLimit: .max)
    /// What the destination has of batches that are not done.
    var delivered: Set<RunOperation> = []
    /// Stand-ins for roots that the destination has, the latest of them.
    var standing: Set<RunOperation> = []
    var unsure = UnsureOperations()
    /// The log has said that ids are not unique.
    var hasWarned = false

    init(_ configuration: LangSmithConfiguration, _ context: Context) throws {
        try self.init(configuration, context, clock: Timestamp.now)
    }

    /// - Parameter clock: the time of day.
    init(_ configuration: LangSmithConfiguration, _ context: Context, clock: @escaping @Sendable () -> Timestamp)
        throws
    {
        self.configuration = configuration
        self.clock = clock
        logger = context.logger
        telemetry = LangSmithTelemetry(context)
        executor = BlockingExecutor(label: "weir.\(context.id)")
        component = context.id
        hidesAnswers = context.hidesAnswers
        client = try HTTPClient(tls: configuration.tls)
        buckets = context.requestBuckets
        index = TraceIndex(configuration.memory)
        held = HeldBatches(
            grace: configuration.traceGrace, maxBytes: configuration.maxHeldBytes,
            maxBatches: context.consumers - context.consumers / 16)
        logger.info("sending runs", metadata: ["url": "\(configuration.target.url)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        try open(batch.journal)
        let links = try links(of: batch)
        lastID += 1
        let id = lastID
        defer {
            order.end(id)
            for continuation in patient.removeValue(forKey: id) ?? [] { continuation.resume() }
        }
        try await hold(id, links, batch)
        for other in order.predecessors(of: id) where order.isActive(other) {
            await withCheckedContinuation { patient[other, default: []].append($0) }
        }
        let (sent, error) = await send(batch)
        if let error {
            remember(sent)
            throw error
        }
        forget(sent)
    }

    /// All tenants' parts side by side, so that no tenant waits for another's destination.
    private func send(_ batch: FrozenBatch) async -> (sent: [RunOperation], error: ExportError?) {
        let parts = batch.byTenant
        if parts.count == 1 { return await send(parts[0]) }
        return await withTaskGroup(of: (sent: [RunOperation], error: ExportError?).self) { group in
            for part in parts { group.addTask { await self.send(part) } }
            var whole: (sent: [RunOperation], error: ExportError?) = ([], nil)
            for await part in group {
                whole.sent += part.sent
                whole.error = whole.error ?? part.error
            }
            return whole
        }
    }

    /// - Parameter part: has records of one tenant.
    private func send(_ part: TenantPart) async -> (sent: [RunOperation], error: ExportError?) {
        var sent: [RunOperation] = []
        guard let target = configuration.target(of: part.tenant) else { return (sent, nil) }
        do throws(ExportError) {
            try await send(part.batch, of: part.tenant, to: target, &sent)
            return (sent, nil)
        } catch {
            return (sent, error)
        }
    }

    func tick(at now: Timestamp) async {
        release(held.expired(at: now))
        takeOverFiles()
    }

    /// What waits here holds the journal.
    func settle() async {
        release(held.ids)
    }

    func finish() async {
        await client.shutDown()
        // Whoever comes after it wants their lock.
        files = nil
    }

    /// Begins with the first batch, and with what an earlier run remembered.
    private func open(_ journal: JournalID) throws(ExportError) {
        guard files == nil else { return }
        let directory = "\(configuration.directory)/\(component.fileName)/\(journal.text)"
        do throws(FileError) {
            files = try PlaceFiles(directory)
            try files?.restore(into: &index)
        } catch {
            files = nil
            throw .retryable("\(error)", after: nil)
        }
        if let files, !files.isOwn {
            logger.info("another process remembers traces here; reading them", metadata: ["directory": "\(directory)"])
        }
    }

    /// A replay that had them is over, or the exporter before this one.
    private func takeOverFiles() {
        guard files?.isOwn == false, nextTakeOver <= .now else { return }
        do throws(FileError) {
            try files?.takeOver()
            guard files?.isOwn == true else { return }
            index.tellAgain()
            try files?.append(index.takeNews().places, hasTurned: false, isSafe: false)
        } catch {
            // The next time, all of it.
            nextTakeOver = .now + Self.takeOverPause
            files?.letGo()
            warn(error)
        }
    }
}

// MARK: - Waiting

extension LangSmithExporter {
    private func links(of frozen: FrozenBatch) throws(ExportError) -> [SpanLink] {
        var links: [SpanLink] = []
        do {
            try frozen.forEach(into: &batch) { batch, _ in
                for span in batch.spans {
                    links.append(SpanLink(span, batch, projectKey: configuration.projectKey))
                }
            }
        } catch {
            throw .rejected("a record cannot be decoded: \(error)")
        }
        return links
    }

    /// Returns when the ancestors of all spans are known, or it is time to go on without.
    private func hold(_ id: Int, _ links: [SpanLink], _ frozen: FrozenBatch) async throws(ExportError) {
        let now = clock()
        index.turn(at: now)
        for link in links { index.add(link, batch: id) }
        let open = links.filter { !index.isComplete($0) }
        let since = since(frozen, at: now)
        let waits = !open.isEmpty && !held.isOver(since: since, at: now)
        if !waits { order.begin(id, after: links, index) }
        if !held.isEmpty { release(held.released(by: Set(links.map(\.trace)), index)) }
        guard waits else { return }
        held.add(id, links, open, bytes: frozen.byteCount, since: since)
        while held.isOverfull, let oldest = held.oldest {
            telemetry.releasedEarly.add()
            release([oldest])
            if oldest == id { return }
        }
        telemetry.heldSpans.set(held.spans)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { waiting[id] = continuation }
            }
        } onCancel: {
            Task { await self.release([id]) }
        }
        release([id])
        // What waited is the journal's, and comes again.
        if Task.isCancelled { throw .retryable("stopped while it waited for ancestors", after: nil) }
    }

    /// When the wait began. What was parked has waited: of a tenant one batch at a time is tried again, so if each of
    /// them waited for ancestors, which may be in the next, more would be parked meanwhile than goes.
    private func since(_ frozen: FrozenBatch, at now: Timestamp) -> Timestamp {
        guard frozen.recoveredThrough == .max else { return now }
        return min(frozen.records.map(\.receivedAt).max() ?? now, now)
    }

    private func release(_ ids: [Int]) {
        // What came last is nearest to the root.
        for id in ids.reversed() {
            if let links = held.remove(id) { order.begin(id, after: links, index) }
            waiting.removeValue(forKey: id)?.resume()
        }
        if !ids.isEmpty { telemetry.heldSpans.set(held.spans) }
    }
}

/// What of a batch is one tenant's.
private struct TenantPart {
    let tenant: String
    let batch: FrozenBatch
}

extension FrozenBatch {
    /// Tenants in the order of their first record.
    fileprivate var byTenant: [TenantPart] {
        var parts: [(tenant: String, records: [JournalRecord])] = []
        var places: [String: Int] = [:]
        for record in records {
            if let place = places[record.tenant] {
                parts[place].records.append(record)
            } else {
                places[record.tenant] = parts.count
                parts.append((record.tenant, [record]))
            }
        }
        return parts.map {
            TenantPart(
                tenant: $0.tenant,
                batch: FrozenBatch(journal: journal, records: $0.records, recoveredThrough: recoveredThrough))
        }
    }
}

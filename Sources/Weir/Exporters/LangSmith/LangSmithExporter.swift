import Logging

/// Sends spans as runs to LangSmith, or to what speaks its protocol. `docs/langsmith.md` says what becomes of a span.
///
/// A batch waits here, within `export`, until the ancestors of its spans are known or `trace_grace` is over; until then
/// its records are the journal's, and come again after a restart. Its requests are then made from nothing but the
/// spans and what was fixed of their traces, so a retry makes the same again.
actor LangSmithExporter: Exporter {
    static let type = "langsmith"
    static let help = "Sends spans as runs to LangSmith."
    /// Batches that wait are attempts that take long, and there are as many as come in that time.
    static let deliveryDefaults = DeliveryDefaults(timeout: .zero, consumers: 64)

    /// Operations that are remembered of batches that are not done.
    private static let maxDelivered = 1 << 20

    let configuration: LangSmithConfiguration
    let logger: Logger
    let telemetry: LangSmithTelemetry
    let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let name: String
    let client: HTTPClient
    /// By account.
    var servers: [UInt64: LangSmithServer] = [:]
    var gate: RequestGate
    var index: TraceIndex
    /// Nil until the first batch says which journal it is of.
    private var files: PlaceFiles?
    private var held: HeldBatches
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var lastID = 0
    private var order = SendingOrder()
    private var patient: [Int: [CheckedContinuation<Void, Never>]] = [:]
    private var writer = RunWriter()
    private var body = JSONWriter(capacity: 256 << 10)
    private var batch = Batch(decodedLimit: .max)
    /// What the destination has of batches that are not done.
    private var delivered: Set<RunOperation> = []
    /// Requests whose outcome is not known.
    var unsure: Set<Int> = []

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
        name = context.id.fileName
        client = try HTTPClient(tls: configuration.tls)
        gate = RequestGate(limit: configuration.connections)
        index = TraceIndex(configuration.memory)
        held = HeldBatches(maxBytes: configuration.maxHeldBytes)
        let urls = configuration.targets.map { "\($0.url)" }
        logger.info("sending runs", metadata: ["url": "\(urls.joined(separator: " "))"])
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
        var sent: [RunOperation] = []
        for (tenant, records) in batch.byTenant {
            let part = FrozenBatch(journal: batch.journal, records: records, recoveredThrough: batch.recoveredThrough)
            sent += try await send(part, of: tenant)
        }
        for operation in sent { delivered.remove(operation) }
    }

    func tick(at now: Timestamp) async {
        release(held.expired(at: now))
    }

    func finish() async {
        await client.shutDown()
    }

    /// Begins with the first batch, and with what an earlier run remembered.
    private func open(_ journal: JournalID) throws(ExportError) {
        guard files == nil else { return }
        let directory = "\(configuration.directory)/\(name)/\(journal.text)"
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
}

// MARK: - Waiting

extension LangSmithExporter {
    private func links(of frozen: FrozenBatch) throws(ExportError) -> [SpanLink] {
        var links: [SpanLink] = []
        do {
            try frozen.forEach(into: &batch) { batch, _ in
                for span in batch.spans { links.append(SpanLink(span, batch)) }
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
        let waits = !open.isEmpty && configuration.traceGrace > .zero
        if !waits { order.begin(id, after: links, index) }
        release(held.released(by: Set(links.map(\.trace)), index))
        guard waits else { return }
        let grace = UInt64(configuration.traceGrace / .nanoseconds(1))
        held.add(
            id, links, open, bytes: frozen.byteCount, until: Timestamp(nanoseconds: now.nanoseconds + grace))
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

    private func release(_ ids: [Int]) {
        // What came last is nearest to the root.
        for id in ids.reversed() {
            if let links = held.remove(id) { order.begin(id, after: links, index) }
            waiting.removeValue(forKey: id)?.resume()
        }
        if !ids.isEmpty { telemetry.heldSpans.set(held.spans) }
    }
}

// MARK: - Writing

extension LangSmithExporter {
    /// - Returns: what the destination has.
    private func send(_ part: FrozenBatch, of tenant: String) async throws(ExportError) -> [RunOperation] {
        var sent: [RunOperation] = []
        var failure: ExportError?
        for target in configuration.targets(of: tenant) {
            do throws(ExportError) {
                sent += try await send(part, of: tenant, to: target)
            } catch {
                // Another one may work; what it takes is not sent to it again.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return sent
    }

    private func send(
        _ part: FrozenBatch, of tenant: String, to target: LangSmithTarget
    ) async throws(ExportError) -> [RunOperation] {
        var limits = RequestLimits(await info(of: target))
        var sent: [RunOperation] = []
        // What is to be sent alone.
        var alone: Set<RunOperation> = []
        while true {
            var isDone = true
            for request in try requests(of: part, tenant, target, limits, alone) {
                switch try await post(request) {
                case .taken, .known:
                    remember(request.operations)
                    sent += request.operations
                    continue
                case .mixed: alone.formUnion(request.operations)
                case .tooLarge: limits.maxBytes = try limits.smaller(than: request)
                case .otherEndpoint: limits = RequestLimits(await info(of: target))
                }
                // What is left is written again, in another way.
                isDone = false
                break
            }
            if isDone { return sent }
        }
    }

    private func remember(_ operations: [RunOperation]) {
        if delivered.count + operations.count > Self.maxDelivered { delivered = [] }
        delivered.formUnion(operations)
    }

    /// All that is not delivered, parents first.
    private func requests(
        of part: FrozenBatch, _ tenant: String, _ target: LangSmithTarget, _ limits: RequestLimits,
        _ alone: Set<RunOperation>
    ) throws(ExportError) -> [RunRequest] {
        let rules = configuration.rules(for: target)
        writer.reset()
        var runs: [WrittenRun] = []
        do {
            try part.forEach(into: &batch) { batch, _ in
                for place in batch.spans.indices {
                    let link = SpanLink(batch.spans[place], batch)
                    let position = index.place(link).salted(target.salt)
                    var run = writer.write(place, at: position, of: batch, rules)
                    if run.size > limits.maxBytes - MultipartBody.overhead,
                        writer.trim(&run, to: limits.maxBytes - MultipartBody.overhead)
                    {
                        telemetry.trimmedRuns.add()
                    }
                    if position.bringsRoot { runs.append(writer.writeStandIn(of: run, rules)) }
                    runs.append(run)
                }
            }
        } catch {
            throw .rejected("a record cannot be decoded: \(error)")
        }
        try note()
        // A parent is always higher than its child; what is equally high stays in its order.
        let ordered = runs.enumerated().sorted {
            ($0.element.place.path.count, $0.offset) < ($1.element.place.path.count, $1.offset)
        }.map(\.element).filter { !delivered.contains(RunOperation($0, target)) }
        var requests: [RunRequest] = []
        var next: [WrittenRun] = []
        var bytes = 0
        for run in ordered {
            let isAlone = alone.contains(RunOperation(run, target))
            if !next.isEmpty, isAlone || next.count >= limits.maxRuns || bytes + run.size > limits.maxBytes {
                requests.append(try request(next, tenant, target, limits))
                (next, bytes) = ([], 0)
            }
            next.append(run)
            bytes += run.size
            if isAlone {
                requests.append(try request(next, tenant, target, limits))
                (next, bytes) = ([], 0)
            }
        }
        if !next.isEmpty { requests.append(try request(next, tenant, target, limits)) }
        return requests
    }

    /// Keeps what was fixed, before anybody hears of it.
    private func note() throws(ExportError) {
        let (places, hasTurned) = index.takeNews()
        let roots = places.count { $0.standInStart != nil }
        telemetry.missingRoots.add(roots)
        do throws(FileError) {
            try files?.append(places, hasTurned: hasTurned, isSafe: roots > 0)
        } catch {
            // A tree may lose its shape with the next start; no run is lost.
            logger.warning("cannot remember traces for the next start", metadata: ["reason": "\(error)"])
        }
    }

    private func request(
        _ runs: [WrittenRun], _ tenant: String, _ target: LangSmithTarget, _ limits: RequestLimits
    ) throws(ExportError) -> RunRequest {
        body.reset(keeping: 4 << 20)
        let isMultipart = limits.info.takesMultipart
        if isMultipart {
            MultipartBody.multipart(runs, of: writer.written, into: &body)
        } else {
            MultipartBody.batch(runs, of: writer.written, into: &body)
        }
        // Only multipart requests may be compressed.
        let compression = isMultipart ? configuration.compression(limits.info) : .none
        var bytes: [UInt8] = []
        do {
            var compressor = try Compressor(compression, level: compression == .none ? 0 : 1)
            try compressor.write(body.written) { bytes.append(contentsOf: $0) }
            try compressor.finish { bytes.append(contentsOf: $0) }
        } catch {
            throw .retryable("\(error)", after: nil)
        }
        var headers = target.headers
        headers.append(
            (
                "Content-Type",
                isMultipart ? "multipart/form-data; boundary=\(MultipartBody.boundary)" : "application/json"
            ))
        if compression != .none { headers.append(("Content-Encoding", compression.rawValue)) }
        return RunRequest(
            target: target, tenant: tenant, path: isMultipart ? "/runs/multipart" : "/runs/batch", headers: headers,
            body: bytes, operations: runs.map { RunOperation($0, target) })
    }
}

extension RunOperation {
    fileprivate init(_ run: WrittenRun, _ target: LangSmithTarget) {
        self.init(target: target.id, trace: run.place.trace, run: run.place.id, isPatch: run.place.isPatch)
    }
}

extension SpanLink {
    private static let isRoot = AttributeKey("langsmith.is_root")

    fileprivate init(_ span: SpanRecord, _ batch: borrowing Batch) {
        var parent = span.parentSpanID
        if parent != 0, case .bool(true)? = batch.value(of: Self.isRoot, in: span.attributes) { parent = 0 }
        self.init(
            trace: TraceKey(tenant: batch.tenant, high: span.traceIDHigh, low: span.traceIDLow), span: span.spanID,
            parent: parent, start: span.startTime / 1_000, isEntry: Self.isEntry(span))
    }

    /// trace.proto, SpanFlags: bit 8 says whether bit 9 holds, which says that the parent is remote. Where it does not,
    /// the kind tells.
    private static func isEntry(_ span: SpanRecord) -> Bool {
        if span.flags & 0x100 != 0 { return span.flags & 0x200 != 0 }
        // SERVER, CONSUMER
        return span.kind == 2 || span.kind == 5
    }
}

extension FrozenBatch {
    /// Tenants in the order of their first record.
    fileprivate var byTenant: [(tenant: String, records: [JournalRecord])] {
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
        return parts
    }
}

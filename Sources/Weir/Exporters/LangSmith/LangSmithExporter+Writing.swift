/// Runs that are not sent as the others.
private struct SpecialRuns: Equatable {
    /// A request each.
    var alone: Set<RunOperation> = []
    /// As a change of a run that is there.
    var patches: Set<RunOperation> = []

    /// From now on the stand-ins of a request do not share the fate of what came with them.
    /// - Returns: whether that makes a difference.
    mutating func part(_ request: RunRequest) -> Bool {
        guard request.standIns.count < request.operations.count, !request.standIns.isSubset(of: alone) else {
            return false
        }
        alone.formUnion(request.standIns)
        return true
    }
}

/// What of a batch is written and sent before the rest of it is.
private struct BatchPiece {
    /// A span of a batch.
    struct Place {
        /// Among those of the batch.
        var record = 0
        /// Among those of the record.
        var span = 0
    }

    let requests: [RunRequest]
    /// Where the next piece begins; nil where there is none.
    let next: Place?
}

/// From spans to requests.
extension LangSmithExporter {
    /// - Parameter sent: gets what the destination has, also where it fails.
    func send(
        _ part: FrozenBatch, of tenant: String, to target: LangSmithTarget, _ sent: inout [RunOperation]
    ) async throws(ExportError) {
        var limits = RequestLimits(await info(of: target))
        var special = SpecialRuns()
        var next: BatchPiece.Place? = BatchPiece.Place()
        while let place = next {
            let before = (special, limits)
            let piece = try piece(of: part, from: place, tenant, target, limits, special, &sent)
            var isDone = true
            for request in piece.requests {
                do throws(ExportError) {
                    isDone = try await take(request, of: part, &limits, &special, &sent)
                } catch {
                    // A stand-in stands for others too, and must not go to the dead letters with one of them.
                    guard case .rejected = error, special.part(request) else { throw error }
                    isDone = false
                }
                // What is left of the piece is written again, in another way.
                guard isDone else { break }
            }
            if isDone {
                next = piece.next
                continue
            }
            remember(sent)
            guard before != (special, limits) else {
                throw .retryable("the destination answers so that nothing can be sent in another way", after: nil)
            }
        }
    }

    /// - Returns: false where the rest has to be written in another way.
    private func take(
        _ request: RunRequest, of part: FrozenBatch, _ limits: inout RequestLimits, _ special: inout SpecialRuns,
        _ sent: inout [RunOperation]
    ) async throws(ExportError) -> Bool {
        switch try await post(request, of: part) {
        case .taken: break
        case .known(let isSurprise):
            if isSurprise, let root = request.root {
                // A stand-in for it of which nothing is remembered. It must not keep the root out.
                special.patches.insert(root)
                stand([root])
                return false
            }
        case .mixed:
            special.alone.formUnion(request.operations)
            return false
        case .tooLarge:
            limits.maxBytes = try limits.smaller(than: request)
            return false
        case .otherWay:
            limits = RequestLimits(await info(of: request.target))
            return false
        }
        sent += request.operations
        stand(request.standIns)
        return true
    }

    private func stand(_ roots: Set<RunOperation>) {
        if standing.count + roots.count > Self.maxDelivered { standing = [] }
        standing.formUnion(roots)
    }

    /// What is not sent again while its batch is not done.
    func remember(_ operations: [RunOperation]) {
        if delivered.count + operations.count > Self.maxDelivered { delivered = [] }
        delivered.formUnion(operations)
    }

    /// The batch is done.
    func forget(_ operations: [RunOperation]) {
        guard !delivered.isEmpty else { return }
        for operation in operations { delivered.remove(operation) }
    }

    /// All of the next runs that is not delivered, parents first.
    /// - Parameter sent: gets what is.
    private func piece(
        of part: FrozenBatch, from start: BatchPiece.Place, _ tenant: String, _ target: LangSmithTarget,
        _ limits: RequestLimits, _ special: SpecialRuns, _ sent: inout [RunOperation]
    ) throws(ExportError) -> BatchPiece {
        let (runs, next) = try write(part, from: start, target, limits, special)
        note()
        return BatchPiece(requests: try requests(of: runs, tenant, target, limits, special, &sent), next: next)
    }

    /// Where it ends depends on spans and limits alone, not on what is delivered, so that a retry makes the same
    /// requests.
    /// - Returns: also where the next begins.
    private func write(
        _ part: FrozenBatch, from start: BatchPiece.Place, _ target: LangSmithTarget, _ limits: RequestLimits,
        _ special: SpecialRuns
    ) throws(ExportError) -> (runs: [WrittenRun], next: BatchPiece.Place?) {
        let rules = configuration.rules(for: target)
        writer.reset()
        var runs: [WrittenRun] = []
        var roots: Set<RunOperation> = []
        var next = start
        var bytes = 0
        do {
            try part.forEach(from: start.record, into: &batch) { batch, record in
                if Envelope.mayStand(in: record.payload.bytes) { batch.hideCiphertext() }
                while next.span < batch.spans.count {
                    guard bytes < Self.maxWritten else { return false }
                    let link = SpanLink(batch.spans[next.span], batch, projectKey: configuration.projectKey)
                    var position = index.place(link).salted(target.salt)
                    if special.patches.contains(RunOperation(position, target)) { position.isPatch = true }
                    let before = writer.written.count
                    var run = writer.write(next.span, at: position, of: batch, rules)
                    if run.size > limits.maxBytes - MultipartBody.overhead,
                        writer.trim(&run, to: limits.maxBytes - MultipartBody.overhead)
                    {
                        telemetry.trimmedRuns.add()
                    }
                    // Without stand-ins: answers decide which there are.
                    bytes += writer.written.count - before
                    if position.bringsRoot || position.isPatch {
                        // A root that changes a stand-in comes to a destination that has it: the batch that brings it
                        // may have failed, or be another process's.
                        var standIn = writer.writeStandIn(of: run, rules)
                        standIn.isInDoubt = !position.bringsRoot
                        let operation = RunOperation(standIn.place, target)
                        if !standing.contains(operation), roots.insert(operation).inserted { runs.append(standIn) }
                    }
                    runs.append(run)
                    next.span += 1
                }
                next = BatchPiece.Place(record: next.record + 1)
                return bytes < Self.maxWritten
            }
        } catch {
            throw .rejected("a record cannot be decoded: \(error)")
        }
        return (runs, next.record < part.records.count ? next : nil)
    }

    private func requests(
        of runs: [WrittenRun], _ tenant: String, _ target: LangSmithTarget, _ limits: RequestLimits,
        _ special: SpecialRuns, _ sent: inout [RunOperation]
    ) throws(ExportError) -> [RunRequest] {
        // A parent is always higher than its child; what is equally high stays in its order.
        let depths = runs.map(\.place.path.count)
        let ordered = runs.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }
        var requests: [RunRequest] = []
        var next: [WrittenRun] = []
        var bytes = 0
        for index in ordered {
            let run = runs[index]
            let operation = RunOperation(run.place, target)
            guard !delivered.contains(operation) else {
                sent.append(operation)
                continue
            }
            let isAlone = run.isInDoubt || special.alone.contains(operation)
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
    private func note() {
        let (places, hasTurned) = index.takeNews()
        let roots = places.count { $0.standInStart != nil }
        telemetry.missingRoots.add(roots)
        do throws(FileError) {
            try files?.append(places, hasTurned: hasTurned, isSafe: roots > 0)
        } catch {
            warn(error)
        }
    }

    /// A tree may lose its shape with the next start; no run is lost.
    func warn(_ error: FileError) {
        logger.warning("cannot remember traces for the next start", metadata: ["reason": "\(error)"])
    }

    /// What compresses takes memory of its own, which is used again.
    private func compressed(_ text: UnsafeRawBufferPointer, _ compression: Compression) throws -> [UInt8] {
        if compressor?.compression != compression {
            compressor = try Compressor(
                compression, level: compression == .none ? 0 : 1, hasChecksum: false, room: Self.compressorRoom)
        }
        var bytes: [UInt8] = []
        try compressor?.writeWhole(text) { bytes.append(contentsOf: $0) }
        return bytes
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
        let bytes: [UInt8]
        do {
            bytes = try compressed(body.written, compression)
        } catch {
            compressor = nil
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
            compression: compression, body: bytes, operations: runs.map { RunOperation($0.place, target) },
            standIns: Set(runs.filter(\.isStandIn).map { RunOperation($0.place, target) }))
    }
}

extension RunOperation {
    fileprivate init(_ place: RunPlace, _ target: LangSmithTarget) {
        self.init(target: target.id, trace: place.trace, run: place.id, isPatch: place.isPatch)
    }
}

/// The rows that the hot tables get of some journal records, before they go to one database or the other.
struct HotRows: ~Copyable {
    /// In the order of the records and of their spans.
    private(set) var spans: [SpanRow] = []
    private(set) var usage: [UsageRow] = []
    private(set) var costs: [CostRow] = []
    /// Each once.
    private(set) var resources: [DictionaryRow] = []
    private(set) var scopes: [DictionaryRow] = []
    /// What sampling left out of the records, in their order.
    private(set) var sampledOut: [SampledOutRow] = []

    private var text: RowText
    /// Those of the spans that are in usage and rollups already.
    private(set) var promoted: Set<Int> = []
    private var dictionaryIDs: Set<Int64> = []
    private var genAI = GenAIAttributes()

    /// What OpenTelemetry's resource conventions say of a service without a name.
    private static let unknownService = Array("unknown_service".utf8)

    /// - Parameters: see ``RowText``.
    init(cuts: Bool = true, retained: Int = 8 << 20) {
        text = RowText(cuts: cuts, retained: retained)
    }

    /// Bytes of text and JSON.
    var textCount: Int { text.count }
    /// All of it, one behind the other. Valid until the rows change.
    var written: UnsafeRawBufferPointer { text.written }

    /// Forgets the rows.
    mutating func reset() {
        spans.removeAll(keepingCapacity: true)
        usage.removeAll(keepingCapacity: true)
        costs.removeAll(keepingCapacity: true)
        resources = []
        scopes = []
        sampledOut = []
        promoted = []
        dictionaryIDs = []
        text.reset()
    }

    /// Nil where the column is NULL. Valid until the rows change.
    func bytes(_ ref: TextRef) -> UnsafeRawBufferPointer? { text.bytes(ref) }

    /// Adds what a record holds.
    mutating func add(_ batch: borrowing Batch, sequence: UInt64, tenantID: Int32) {
        let window = ClockWindow(receivedAt: batch.receivedAt)
        var place: Int32 = 0
        for resource in batch.resources
        where !resource.state.contains(.dropped) && resource.scopes.contains(where: { Self.hasSpans($0, batch) }) {
            let resourceID = add(resource, of: batch, tenantID)
            let service = addService(resource, of: batch)
            for scope in resource.scopes where Self.hasSpans(scope, batch) {
                let scopeID = add(batch.scopes[scope], of: batch, tenantID)
                for index in batch.scopes[scope].spans where !batch.spans[index].isDropped {
                    let owner = Owner(
                        resourceID: resourceID, scopeID: scopeID, sequence: sequence, tenantID: tenantID,
                        service: service, place: place, isSampledOut: false)
                    add(batch.spans[index], owner, window, of: batch)
                    place += 1
                }
            }
        }
    }

    /// Resources and scopes of which no span is stored are not written either: a request of few bytes may have many.
    private static func hasSpans(_ scope: Int, _ batch: borrowing Batch) -> Bool {
        !batch.scopes[scope].state.contains(.dropped)
            && batch.scopes[scope].spans.contains { !batch.spans[$0].isDropped }
    }
}

// MARK: - What sampling left out

extension HotRows {
    /// Adds the calls of models that are left of spans of a record. Their places are behind those of its spans.
    mutating func add(_ calls: borrowing Batch, of record: JournalRecord, _ tenantID: Int32) {
        let window = ClockWindow(receivedAt: record.receivedAt)
        var place = Int32(record.spanCount)
        for resource in calls.resources {
            let service = addService(resource, of: calls)
            let owner = Owner(
                resourceID: 0, scopeID: 0, sequence: record.sequence, tenantID: tenantID, service: service,
                place: place, isSampledOut: true)
            for scope in resource.scopes {
                for index in calls.scopes[scope].spans where !calls.spans[index].isDropped {
                    add(calls.spans[index], owner.at(place), window, of: calls)
                    place += 1
                }
            }
        }
    }

    mutating func appendSampledOut(_ row: SampledOutRow) {
        sampledOut.append(row)
    }

    mutating func service(_ name: UnsafeRawBufferPointer) -> String {
        name.isEmpty ? String(decoding: Self.unknownService, as: UTF8.self) : string(name, limit: RowText.maxID)
    }

    /// As a column of rollups has it.
    mutating func string(_ bytes: UnsafeRawBufferPointer, limit: Int) -> String {
        string(text.add(bytes.cut(to: limit)))
    }
}

// MARK: - Spans

extension HotRows {
    /// What a span has of what it stands in.
    private struct Owner {
        let resourceID: Int64
        let scopeID: Int64
        let sequence: UInt64
        let tenantID: Int32
        let service: TextRef
        var place: Int32
        let isSampledOut: Bool

        func at(_ place: Int32) -> Owner {
            var owner = self
            owner.place = place
            return owner
        }
    }

    private mutating func addService(_ resource: ResourceRecord, of batch: borrowing Batch) -> TextRef {
        if let name = batch.serviceName(of: resource) { return text.add(name, limit: RowText.maxID) }
        return Self.unknownService.withUnsafeBytes { text.add($0) }
    }

    private mutating func add(
        _ span: SpanRecord, _ owner: Owner, _ window: ClockWindow, of batch: borrowing Batch
    ) {
        genAI.find(in: span.attributes, of: batch)
        let clamped = window.clamp(span.startTime)
        let duration = span.endTime == 0 ? nil : Int64(bitPattern: span.endTime &- span.startTime)
        let lasts = span.endTime == 0 || span.endTime >= span.startTime
        let operation = genAI.operation(of: batch)
        let row = SpanRow(
            startTime: span.startTime, clampedStart: Int64(clamped / 1_000), duration: duration,
            traceIDHigh: span.traceIDHigh, traceIDLow: span.traceIDLow, spanID: span.spanID,
            // Some libraries send eight zero bytes of a root.
            parentSpanID: span.parentSpanID == 0 ? nil : span.parentSpanID, resourceID: owner.resourceID,
            scopeID: owner.scopeID, sequence: owner.sequence, place: owner.place, tenantID: owner.tenantID,
            flags: span.flags, droppedAttributes: span.droppedAttributes, droppedEvents: span.droppedEvents,
            droppedLinks: span.droppedLinks, kind: span.kind, status: span.status, operation: operation,
            isClockSuspect: clamped != span.startTime || !lasts || span.endTime > UInt64(Int64.max),
            service: owner.service, name: text.add(batch.bytes(span.name), limit: RowText.maxName),
            statusMessage: optional(span.statusMessage, of: batch), traceState: optional(span.traceState, of: batch),
            sessionID: text.add(genAI.value(.session, of: batch), limit: RowText.maxID),
            conversationID: text.add(genAI.value(.conversation, of: batch), limit: RowText.maxID),
            userID: text.add(genAI.value(.user, of: batch), limit: RowText.maxID),
            callID: text.add(genAI.value(.call, of: batch), limit: RowText.maxID),
            attributes: text.addObject(span.attributes, of: batch), events: text.addEvents(of: span, batch),
            links: text.addLinks(of: span, batch), adjustedCount: batch.adjustedCount(of: span),
            isSampledOut: owner.isSampledOut)
        // What was counted when it was left out is not counted again.
        if batch.isPromoted { promoted.insert(spans.count) }
        spans.append(row)
        if !batch.isPromoted { addUsage(of: span, operation, batch) }
    }

    /// Absent where the span is stored; empty where the rule has no name.
    private mutating func sampledOutBy(_ span: SpanRecord, _ batch: borrowing Batch) -> TextRef {
        guard spans.last?.isSampledOut ?? false else { return .absent }
        let rule = text.add(batch.value(of: Batch.samplingRule, in: span.attributes), limit: RowText.maxID)
        return rule.isAbsent ? text.add(UnsafeRawBufferPointer(start: nil, count: 0)) : rule
    }

    private mutating func optional(_ ref: ByteRef, of batch: borrowing Batch) -> TextRef {
        ref.count == 0 ? .absent : text.add(batch.bytes(ref))
    }

    /// Of the span that was added last.
    private mutating func addUsage(of span: SpanRecord, _ operation: OperationKind, _ batch: borrowing Batch) {
        let said = genAI.text(.costStatus, of: batch).flatMap {
            CostStatus(rawValue: String(decoding: $0, as: UTF8.self))
        }
        guard operation.isModelCall || (operation != .other && said != nil) else { return }
        let used = genAI.usage(of: span, in: batch)
        var row = usageRow(of: span, used, batch)
        // Counts that contradict each other would be added up.
        if used == nil { row.forgetCounts() }
        if operation.isModelCall { usage.append(row) }
        var (reason, status) = (CostRow.Reason.call, row.totalCost == nil ? said ?? .unpriced : .priced)
        if !operation.isModelCall, said == .aggregate {
            // Where the spans in between are not stored, nobody can tell what is below it. What its sender says that it
            // costs is the sum of the calls below as well.
            guard !row.isSampledOut, let cost = genAI.pico(.aggregateCost, of: batch) else { return }
            (row.totalCost, row.costSource, reason, status) = (cost, genAI.ownSource, .aggregate, .aggregate)
        } else if status == .aggregate || status == .priced, row.totalCost == nil {
            status = .unpriced
        }
        let price = text.add(genAI.value(.costPrice, of: batch), limit: RowText.maxID)
        let tier = text.add(genAI.value(.serviceTier, of: batch), limit: RowText.maxID)
        let parts = used.flatMap { used in
            used.isEmpty ? nil : Array(used.text.utf8).withUnsafeBytes { text.add($0) }
        }
        costs.append(
            CostRow(
                reason: reason, status: status, price: price, serviceTier: tier, parts: parts ?? .absent, usage: row))
    }

    private mutating func usageRow(of span: SpanRecord, _ used: Usage?, _ batch: borrowing Batch) -> UsageRow {
        let requestModel = text.add(genAI.value(.requestModel, of: batch), limit: RowText.maxID)
        let responseModel = text.add(genAI.value(.responseModel, of: batch), limit: RowText.maxID)
        let cost = genAI.cost(of: batch)
        let tokens = genAI.tokens(of: used)
        return UsageRow(
            span: spans.count - 1,
            timeToFirstToken: genAI.number(.timeToFirstChunk, times: 1e9, of: batch)
                ?? genAI.number(.millisecondsToFirstChunk, times: 1e6, of: batch),
            inputTokens: tokens.input, outputTokens: tokens.output,
            cacheReadTokens: genAI.tokens(.cacheReadTokens, of: batch),
            cacheWriteTokens: genAI.tokens(.cacheWriteTokens, of: batch),
            reasoningTokens: genAI.tokens(.reasoningTokens, of: batch),
            totalCost: cost?.amount, costSource: cost?.source,
            provider: text.add(genAI.value(.provider, of: batch), limit: RowText.maxID), requestModel: requestModel,
            model: responseModel.isAbsent ? requestModel : responseModel,
            responseID: text.add(genAI.responseID(of: batch), limit: RowText.maxID),
            agent: text.add(genAI.value(.agent, of: batch), limit: RowText.maxID),
            workflow: text.add(genAI.value(.workflow, of: batch), limit: RowText.maxID),
            sampledOutBy: sampledOutBy(span, batch))
    }
}

// MARK: - Resources and scopes

extension HotRows {
    private mutating func add(_ resource: ResourceRecord, of batch: borrowing Batch, _ tenantID: Int32) -> Int64 {
        let attributes = text.addObject(resource.attributes, of: batch)
        let schemaURL = text.add(batch.bytes(resource.schemaURL))
        let id = id(tenantID, [attributes, schemaURL])
        if dictionaryIDs.insert(id).inserted {
            resources.append(
                DictionaryRow(
                    id: id, tenantID: tenantID, name: nil, version: nil, attributes: string(attributes),
                    schemaURL: string(schemaURL)))
        }
        return id
    }

    private mutating func add(_ scope: ScopeRecord, of batch: borrowing Batch, _ tenantID: Int32) -> Int64 {
        let name = text.add(batch.bytes(scope.name))
        let version = text.add(batch.bytes(scope.version))
        let attributes = text.addObject(scope.attributes, of: batch)
        let schemaURL = text.add(batch.bytes(scope.schemaURL))
        let id = id(tenantID, [name, version, attributes, schemaURL])
        if dictionaryIDs.insert(id).inserted {
            scopes.append(
                DictionaryRow(
                    id: id, tenantID: tenantID, name: string(name), version: string(version),
                    attributes: string(attributes), schemaURL: string(schemaURL)))
        }
        return id
    }

    /// See ``DictionaryRow/id``. Each part goes in with its length, so that no two lists of parts are one.
    private func id(_ tenantID: Int32, _ parts: [TextRef]) -> Int64 {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: tenantID.littleEndian) { bytes.append(contentsOf: $0) }
        for part in parts {
            withUnsafeBytes(of: part.count.littleEndian) { bytes.append(contentsOf: $0) }
            if let part = text.bytes(part) { bytes.append(contentsOf: part) }
        }
        return Digest.sha256(bytes).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    private func string(_ ref: TextRef) -> String {
        text.bytes(ref).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// Writes what the spans that sampling left out would have added to usage and rollups: ``SampledOut`` reads it.
///
/// Calls of a model are written as spans with nothing but what a row of usage needs. All spans are added up by minute
/// and operation.
struct SampledOutEncoder: ~Copyable {
    /// Bytes of a text. The tables cut at this, or sooner.
    static let maxText = 512
    private static let retained = 1 << 20

    private var writer: ReverseWriter
    private var genAI = GenAIAttributes()
    private var rollups = Rollups()
    private static let keys = GenAIAttribute.ofUsageRows.map { $0.keys.map(AttributeKey.init) }

    /// - Parameter limit: bytes that may be written.
    init(limit: Int = ReverseWriter.maxLimit) {
        writer = ReverseWriter(capacity: 4 << 10, limit: limit)
    }

    /// - Returns: the value of the section; nil where it is over the limit. Valid until the next call.
    mutating func encode(_ batch: borrowing Batch) -> UnsafeRawBufferPointer? {
        writer.reset(keeping: Self.retained)
        rollups.removeAll()
        let window = ClockWindow(receivedAt: batch.receivedAt)
        for resource in batch.resources.reversed() where !resource.state.contains(.dropped) {
            write(resource, window, batch)
        }
        for (key, row) in rollups.rows { write(key, row) }
        return writer.isOverfull ? nil : writer.written
    }

    private mutating func write(_ resource: ResourceRecord, _ window: ClockWindow, _ batch: borrowing Batch) {
        let end = writer.count
        let service = batch.serviceName(of: resource)?.cut(to: Self.maxText)
        let serviceKey = Rollups.Key.Text(service)
        for scope in resource.scopes.reversed() where !batch.scopes[scope].state.contains(.dropped) {
            for index in batch.scopes[scope].spans.reversed() where batch.spans[index].isSampledOut {
                add(batch.spans[index], serviceKey, window, batch)
            }
        }
        // The spans that were written, without the scopes they were in.
        guard writer.count > end else { return }
        writer.close(Tag.scopeSpans, writer.count - end)
        if let service {
            let resourceEnd = writer.count
            write(Batch.serviceName.bytes, Tag.resourceAttributes) { $0.field(Tag.stringValue, service) }
            writer.close(Tag.resource, writer.count - resourceEnd)
        }
        writer.close(Tag.resourceSpans, writer.count - end)
    }

    private mutating func add(
        _ span: SpanRecord, _ service: Rollups.Key.Text, _ window: ClockWindow, _ batch: borrowing Batch
    ) {
        genAI.find(in: span.attributes, of: batch)
        let operation = genAI.operation(of: batch)
        var model: UnsafeRawBufferPointer?
        var call: Rollups.Call?
        if operation.isModelCall {
            let used = genAI.usage(of: span, in: batch)
            writeCall(span, used, batch)
            model = text(.responseModel, batch) ?? text(.requestModel, batch)
            let tokens = genAI.tokens(of: used)
            call = Rollups.Call(
                inputTokens: tokens.input, outputTokens: tokens.output, cost: genAI.cost(of: batch)?.amount)
        }
        let key = Rollups.Key(
            minute: Int64(window.clamp(span.startTime) / 60_000_000_000), tenantID: 0, operation: operation,
            kind: span.kind, service: service, name: .init(batch.bytes(span.name).cut(to: Self.maxText)),
            model: .init(model))
        let duration = span.endTime == 0 ? nil : Int64(bitPattern: span.endTime &- span.startTime)
        rollups.add(key, duration: duration, isError: span.status == 2, call)
    }

    private func text(_ attribute: GenAIAttribute, _ batch: borrowing Batch) -> UnsafeRawBufferPointer? {
        guard case .string(let text)? = genAI.value(attribute, of: batch), !text.isEmpty else { return nil }
        return text.cut(to: Self.maxText)
    }

    private mutating func writeCall(_ span: SpanRecord, _ used: Usage?, _ batch: borrowing Batch) {
        let end = writer.count
        if span.status != 0 {
            writer.number(Tag.statusCode, UInt64(span.status))
            writer.close(Tag.status, writer.count - end)
        }
        let rule = batch.samplingRule(of: span)
        if rule.count > 0 {
            let name = batch.bytes(rule)
            write(Batch.samplingRule.bytes, Tag.attributes) { $0.field(Tag.stringValue, name) }
        }
        for attribute in GenAIAttribute.ofUsageRows {
            guard let value = genAI.value(attribute, of: batch), let rank = genAI.rank(of: attribute) else { continue }
            write(value, Self.keys[attribute.rawValue][rank])
        }
        // The library that made it is left behind, and with it how it counts.
        let basis = genAI.knownBasis(of: span, in: batch) ?? used?.basis
        if let basis, used.map({ $0.cachedTokens > 0 }) ?? true, !genAI.has(.cacheBasis) {
            write(Self.keys[GenAIAttribute.cacheBasis.rawValue][0].bytes, Tag.attributes) { writer in
                Array(basis.rawValue.utf8).withUnsafeBytes { writer.field(Tag.stringValue, $0) }
            }
        }
        if span.endTime != 0 { writer.fixed64(Tag.endTime, span.endTime) }
        writer.fixed64(Tag.startTime, span.startTime)
        writer.number(Tag.kind, UInt64(span.kind))
        writer.identifier(Tag.spanID, span.spanID)
        writer.identifier(Tag.traceID, high: span.traceIDHigh, low: span.traceIDLow)
        writer.close(Tag.spans, writer.count - end)
    }

    /// Lists tell nothing that a row of usage has.
    private mutating func write(_ value: AnyValue, _ key: AttributeKey) {
        write(key.bytes, Tag.attributes) { writer in
            switch value {
            case .string(let text): writer.field(Tag.stringValue, text.cut(to: Self.maxText))
            case .int(let number): writer.number(Tag.intValue, UInt64(bitPattern: number))
            case .double(let number): writer.fixed64(Tag.doubleValue, number.bitPattern)
            case .bool(let flag): writer.number(Tag.boolValue, flag ? 1 : 0)
            case .empty, .bytes, .array, .kvlist: break
            }
        }
    }

    private mutating func write(_ key: [UInt8], _ tag: UInt64, value: (inout ReverseWriter) -> Void) {
        let end = writer.count
        value(&writer)
        writer.close(Tag.keyValueValue, writer.count - end)
        key.withUnsafeBytes { writer.field(Tag.keyValueKey, $0) }
        writer.close(tag, writer.count - end)
    }

    private mutating func write(_ key: Rollups.Key, _ row: RollupRow) {
        let end = writer.count
        for bucket in row.durations.buckets.reversed() {
            writer.varint(UInt64(bucket.count))
            writer.varint(UInt64(bucket.number))
        }
        writer.close(SampledOut.durations, writer.count - end)
        for (tag, number) in [
            (SampledOut.unpriced, row.unpriced), (SampledOut.totalCost, row.totalCost),
            (SampledOut.outputTokens, row.outputTokens), (SampledOut.inputTokens, row.inputTokens),
            (SampledOut.duration, row.duration), (SampledOut.errors, row.errors), (SampledOut.spans, row.spans),
            (SampledOut.kind, Int64(key.kind)), (SampledOut.operation, Int64(key.operation.rawValue)),
            (SampledOut.minute, key.minute),
        ] where number != 0 {
            writer.number(tag, UInt64(number))
        }
        writer.field(SampledOut.model, key.model.bytes)
        writer.field(SampledOut.name, key.name.bytes)
        writer.field(SampledOut.service, key.service.bytes)
        writer.close(SampledOut.rollup, writer.count - end)
    }
}

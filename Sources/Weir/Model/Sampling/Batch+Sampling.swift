extension Batch {
    /// The rule by which a span was sampled. Kept spans have it, and so has what is left of a call that was not kept.
    static let samplingRule = AttributeKey("weir.sampling.rule")
    /// For how many spans a kept one stands, where its trace state cannot say so: a double.
    static let adjustedCount = AttributeKey("weir.sampling.adjusted_count")

    /// Rules that a batch knows by their names.
    static let maxSamplingRules = Int(UInt8.max)

    /// Spans that sampling left out.
    var sampledOutSpanCount: Int { arena.pointee.sampledOutSpans }

    /// Names a rule for ``sampleOut(span:by:)``. Once for each batch and rule.
    /// - Returns: 0, which is no name, where there are too many.
    mutating func addSamplingRule(_ name: AttributeKey) -> UInt8 {
        guard arena.pointee.samplingRules.count < Self.maxSamplingRules else { return 0 }
        let name = intern(name)
        arena.pointee.samplingRules.append(name)
        return UInt8(arena.pointee.samplingRules.count)
    }

    /// Takes a span out of the batch, and has it counted: what it would have added to usage and rollups goes into the
    /// section of the record. ``drop(span:)`` leaves nothing.
    mutating func sampleOut(span index: Int, by rule: UInt8 = 0) {
        guard !arena.pointee.spans[index].isDropped else { return }
        arena.pointee.spans[index].state.formUnion([.dropped, .sampledOut])
        arena.pointee.spans[index].samplingRule = rule
        arena.pointee.droppedSpans += 1
        arena.pointee.sampledOutSpans += 1
        arena.pointee.isVerbatim = false
    }

    /// The rule by which a span was sampled out; empty where it has no name.
    func samplingRule(of span: SpanRecord) -> ByteRef {
        span.samplingRule == 0 ? .empty : arena.pointee.samplingRules[Int(span.samplingRule) - 1]
    }

    /// How many spans one that was kept stands for: what the attribute says, else the trace state. 0 is one that was
    /// called back after others were chosen to stand for it.
    /// - Returns: nil where neither says anything that can be.
    func adjustedCount(of span: SpanRecord) -> Double? {
        if let index = firstIndex(of: Self.adjustedCount, in: span.attributes),
            case .double(let count) = value(of: attributes[index]), count >= 1 || count == 0, count.isFinite
        {
            return count
        }
        guard span.traceState.count > 0 else { return nil }
        return TraceState(bytes(span.traceState))?.threshold?.adjustedCount
    }
}

extension SpanRecord {
    var isSampledOut: Bool { state.contains(.sampledOut) }
}

/// Writes onto kept spans for how many each of them stands: into the trace state where that can say it, else into an
/// attribute. One for each processor; it keeps what it wrote for the rest of a batch.
struct SamplingNotes {
    /// Thresholds for which it is remembered what becomes of an empty trace state.
    private static let maxRemembered = 16

    private var text: [UInt8] = []
    private var remembered: [(threshold: SamplingThreshold, text: ByteRef)] = []

    /// Forgets what was written into the batch before.
    mutating func begin() {
        remembered.removeAll(keepingCapacity: true)
    }

    /// A decision by the randomness of the trace, about a span that nobody has decided about before: without a trace
    /// state and without a weight.
    mutating func noteFirst(_ threshold: SamplingThreshold, on index: Int, in batch: inout Batch) {
        if let known = remembered.first(where: { $0.threshold == threshold }) {
            batch.set(.traceState(index), to: known.text)
        } else {
            note(threshold, on: index, TraceState(UnsafeRawBufferPointer(start: nil, count: 0)), in: &batch)
        }
    }

    /// A decision by the randomness of the trace.
    /// - Parameters:
    ///   - threshold: at least that of `state`.
    ///   - randomness: what to note beside it, where the decision was by neither the trace id nor an `rv`.
    ///   - state: of the span; nil where it cannot be read, and is then left alone.
    mutating func note(
        _ threshold: SamplingThreshold, randomness: SamplingRandomness? = nil, on index: Int, _ state: TraceState?,
        in batch: inout Batch
    ) {
        let earlier = state?.threshold
        guard earlier != threshold || randomness != nil else { return }
        let factor = threshold.adjustedCount / (earlier?.adjustedCount ?? 1)
        let weight = weight(of: batch.spans[index], in: batch)
        if let state, write(threshold, randomness, on: index, state, &batch) {
            if let weight { set(weight * factor, on: index, &batch) }
        } else {
            set((weight ?? earlier?.adjustedCount ?? 1) * factor, on: index, &batch)
        }
    }

    /// A decision by something else than the randomness of the trace. A threshold would then say that the trace's is
    /// not below it, which need not be true, and would leave this decision out. So there is none any more.
    mutating func noteIndependent(
        _ threshold: SamplingThreshold, on index: Int, _ state: TraceState?, in batch: inout Batch
    ) {
        guard threshold > .always else { return }
        let before = weight(of: batch.spans[index], in: batch) ?? state?.threshold?.adjustedCount ?? 1
        if let state { erase(on: index, state, in: &batch) }
        set(before * threshold.adjustedCount, on: index, &batch)
    }

    /// "Sampling stages that yield spans with unknown sampling probability must erase the OpenTelemetry threshold value
    /// in their output."
    mutating func erase(on index: Int, _ state: TraceState, in batch: inout Batch) {
        guard state.threshold != nil else { return }
        text.removeAll(keepingCapacity: true)
        // Nothing that is only shortened is over a limit.
        _ = state.write(nil, to: &text)
        batch.set(.traceState(index), to: text.withUnsafeBytes { batch.intern($0) })
    }

    /// What the attribute says.
    private func weight(of span: SpanRecord, in batch: borrowing Batch) -> Double? {
        batch.firstIndex(of: Batch.adjustedCount, in: span.attributes) == nil ? nil : batch.adjustedCount(of: span)
    }

    private func set(_ weight: Double, on index: Int, _ batch: inout Batch) {
        batch.set(Batch.adjustedCount, to: batch.store(.double(weight)), of: .span(index))
    }

    /// - Returns: false where a limit of trace states forbids it.
    private mutating func write(
        _ threshold: SamplingThreshold, _ randomness: SamplingRandomness?, on index: Int, _ state: TraceState,
        _ batch: inout Batch
    ) -> Bool {
        let isPlain = batch.spans[index].traceState.count == 0 && randomness == nil
        if isPlain, let known = remembered.first(where: { $0.threshold == threshold }) {
            batch.set(.traceState(index), to: known.text)
            return true
        }
        text.removeAll(keepingCapacity: true)
        guard state.write(threshold, randomness: randomness, to: &text) else { return false }
        let ref = text.withUnsafeBytes { batch.intern($0) }
        if isPlain, remembered.count < Self.maxRemembered { remembered.append((threshold, ref)) }
        batch.set(.traceState(index), to: ref)
        return true
    }
}

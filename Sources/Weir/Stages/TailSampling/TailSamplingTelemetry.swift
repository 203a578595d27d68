import Logging
import Synchronization

/// The metrics of the stage, what it says of itself in the log, and what `/healthz` is to show.
final class TailSamplingTelemetry: Sendable {
    /// What decided traces are counted by.
    private struct Kind: Hashable {
        let isKept: Bool
        let cause: DecisionCause
        let policy: String
    }

    private struct Locked {
        var decided: [Kind: Counter] = [:]
        var complaint: String?
        /// Why there is no ring, where there is to be one.
        var noRecall: String?
        /// The first of those records that cannot go on, and why.
        var heldUp: (sequence: UInt64, reason: String)?
        var overload: String?
    }

    private static let traces = "weir_tail_sampling_traces"

    private let metrics: MetricRegistry
    private let logger: Logger
    private let processor: String
    /// In what people read.
    private let name: String
    private let openTraces: Gauge
    private let memory: Gauge
    private let overloaded: Gauge
    private let waitingRecords: Gauge
    private let lateSpans: Counter
    private let keptSpans: Counter
    private let droppedSpans: Counter
    private let copiedSpans: Counter
    private let lostSpans: Counter
    private let recallSpans: Counter
    private let heardTraces: Counter
    private let delays: Histogram
    private let locked = Mutex(Locked())

    init(_ context: Context) {
        metrics = context.metrics
        logger = context.logger
        processor = context.id.description
        let pipeline = context.pipeline?.description
        name = pipeline.map { "\(context.id) of \($0)" } ?? context.id.description
        let labels = ["processor": context.id.description]
        // Counters of several pipelines add up; these do not.
        var place = labels
        place["pipeline"] = pipeline
        openTraces = metrics.gauge(
            "otelcol_processor_tail_sampling_sampling_traces_on_memory", help: "Traces that are not decided.",
            labels: place)
        memory = metrics.gauge(
            "weir_tail_sampling_memory_bytes", help: "What is remembered of them and their records, by estimate.",
            labels: place)
        overloaded = metrics.gauge(
            "weir_tail_sampling_overloaded", help: "1 while the journal fills and traces are decided at once.",
            labels: place)
        waitingRecords = metrics.gauge(
            "weir_tail_sampling_waiting_records", help: "Requests that have not been sent on.", labels: place)
        lateSpans = metrics.counter(
            "weir_tail_sampling_late_spans", help: "Spans that came after their trace was decided, and went its way.",
            labels: labels)
        keptSpans = metrics.counter("weir_tail_sampling_kept_spans", help: "Spans that were sent on.", labels: labels)
        droppedSpans = metrics.counter(
            "weir_tail_sampling_sampled_out_spans", help: "Spans of traces that were not kept.", labels: labels)
        copiedSpans = metrics.counter(
            "weir_tail_sampling_copied_spans", help: "Spans that were copied to the journal's end, being undecided.",
            labels: labels)
        lostSpans = metrics.counter(
            "weir_tail_sampling_lost_spans", help: "Spans that could not be read or written any more.", labels: labels)
        recallSpans = metrics.counter(
            "weir_tail_sampling_recall_spans", help: "Spans that were not kept, and put where they can be called back.",
            labels: labels)
        heardTraces = metrics.counter(
            "weir_tail_sampling_heard_traces", help: "Traces of which another tail_sampling said that it keeps them.",
            labels: labels)
        delays = metrics.histogram(
            "weir_tail_sampling_decision_delay_seconds", help: "From when a trace was due to its decision.",
            labels: labels, bounds: Histogram.latency)
    }

    /// A line for each thing that is wrong.
    var complaints: [String] {
        locked.withLock { locked in
            let heldUp = locked.heldUp.map { "\(name): record \($0.sequence) cannot go on: \($0.reason)" }
            let noRecall = locked.noRecall.map { "\(name): there is no recall: \($0)" }
            return [locked.complaint, noRecall, heldUp, locked.overload].compactMap(\.self)
        }
    }

    /// - Parameter text: nil where nothing is wrong any more.
    func complain(_ text: String?) { locked.withLock { $0.complaint = text.map { "\(name): \($0)" } } }

    /// - Parameter reason: nil where there is one.
    func noteNoRecall(_ reason: String?) {
        let before = locked.withLock { locked in
            defer { locked.noRecall = reason }
            return locked.noRecall
        }
        guard reason != before else { return }
        if let reason {
            logger.warning("there is no recall yet, which is tried again", metadata: ["error": "\(reason)"])
        } else {
            logger.notice("there is recall now")
        }
    }

    func show(_ window: borrowing TraceWindow) {
        openTraces.set(window.openTraces)
        memory.set(window.memory)
        waitingRecords.set(window.records.count)
    }

    /// The stage has ended, and what it had open is another one's.
    func end() {
        for gauge in [openTraces, memory, waitingRecords, overloaded] { gauge.set(0) }
        locked.withLock { locked in
            locked.noRecall = nil
            locked.heldUp = nil
            locked.overload = nil
        }
    }

    func note(_ decided: TraceWindow.Decided, policy: String) {
        let key = Kind(isKept: decided.decision.isKept, cause: decided.cause, policy: policy)
        let counter = locked.withLock { locked in
            if let counter = locked.decided[key] { return counter }
            let counter = metrics.counter(
                Self.traces, help: "Traces that were decided: whether they were kept, by which policy, and why then.",
                labels: [
                    "processor": processor, "sampled": "\(decided.decision.isKept)", "policy": policy,
                    "cause": decided.cause.rawValue,
                ])
            locked.decided[key] = counter
            return counter
        }
        counter.add(1)
        delays.observe(Double(decided.delay) / 1e9)
    }

    func noteLate(_ spans: Int) { lateSpans.add(spans) }

    func noteForwarded(kept: Int, dropped: Int) {
        keptSpans.add(kept)
        droppedSpans.add(dropped)
    }

    func noteRecall(_ spans: Int) { recallSpans.add(spans) }

    func noteHeard(_ traces: Int) { heardTraces.add(traces) }

    func noteCopied(_ spans: Int) { copiedSpans.add(spans) }

    /// What was acknowledged and cannot go on.
    func noteLost(_ spans: Int, sequence: UInt64, _ reason: String) {
        lostSpans.add(spans)
        logger.critical(
            "spans are lost", metadata: ["spans": "\(spans)", "record": "\(sequence)", "reason": "\(reason)"])
        locked.withLock { $0.complaint = "\(name): spans of record \(sequence) are lost: \(reason)" }
    }

    func noteOverload(_ isOverloaded: Bool) {
        overloaded.set(isOverloaded ? 1 : 0)
        locked.withLock {
            $0.overload =
                isOverloaded ? "\(name): the journal fills; traces are decided at once, with what is there" : nil
        }
        if isOverloaded {
            logger.warning("the journal fills: traces are decided at once, with what is there of them")
        } else {
            logger.notice("traces are decided as configured again")
        }
    }

    /// A record cannot go on, which is tried again.
    func noteHeldUp(_ sequence: UInt64, _ what: String, _ error: any Error) {
        logger.warning(
            "a record cannot go on: \(what)", metadata: ["record": "\(sequence)", "error": "\(error)"])
        locked.withLock { locked in
            if let heldUp = locked.heldUp, heldUp.sequence < sequence { return }
            locked.heldUp = (sequence, "\(what): \(error)")
        }
    }

    func noteWentOn(_ sequence: UInt64) {
        locked.withLock { if $0.heldUp?.sequence == sequence { $0.heldUp = nil } }
    }

    func noteTrouble(_ what: Logger.Message, _ error: Any) {
        logger.warning(what, metadata: ["error": "\(error)"])
    }
}

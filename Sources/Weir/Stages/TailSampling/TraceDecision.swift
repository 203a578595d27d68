/// What was decided about a trace. All its spans follow it, those too that come later.
struct TraceDecision: Equatable, Sendable {
    /// What the trace's randomness was compared with; ``SamplingThreshold/never`` where no policy could keep it.
    let threshold: SamplingThreshold
    let isKept: Bool
    /// Of the policy that decided, in a ``RuleNames``.
    let rule: UInt16
    /// Another replica decided, and no record of this one says so.
    var isHeard = false
}

/// Why a trace was decided when it was.
enum DecisionCause: String, Sendable, CaseIterable {
    /// Its root had ended, and `decision_wait_after_root_received` was over.
    case rootEnded = "root_ended"
    /// `decision_wait` was over.
    case waited
    /// `idle_timeout` was over.
    case idle
    /// It has `max_spans_per_trace`.
    case traceSize = "trace_size"
    /// `num_traces` are open.
    case traceCount = "trace_count"
    /// The window takes `max_memory`.
    case memory
    /// The journal fills.
    case overload
    /// Another replica keeps it.
    case heard
}

/// The names of policies by numbers. Names of an earlier configuration, in remembered decisions, are there too.
struct RuleNames: Sendable {
    /// Names that are known at most; a further one has the number 0.
    static let maximumCount = 4_096

    private(set) var names: [String] = [""]
    private var numbers: [String: UInt16] = ["": 0]

    /// The number 0 is no policy.
    subscript(number: UInt16) -> String { Int(number) < names.count ? names[Int(number)] : "" }

    mutating func number(of name: String) -> UInt16 {
        if let number = numbers[name] { return number }
        guard names.count < Self.maximumCount else { return 0 }
        names.append(name)
        numbers[name] = UInt16(names.count - 1)
        return UInt16(names.count - 1)
    }
}

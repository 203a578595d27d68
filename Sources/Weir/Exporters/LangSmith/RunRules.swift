/// What of spans a destination gets, and under which names.
struct RunRules: Sendable {
    let hidesInputs: Bool
    let hidesOutputs: Bool
    /// Of traces that name none.
    let project: String
    /// What the ids of runs are changed by; 0 changes nothing.
    var salt: UInt64 = 0

    /// Of what may be either, nothing is sent.
    var hidesContent: Bool { hidesInputs || hidesOutputs }
}

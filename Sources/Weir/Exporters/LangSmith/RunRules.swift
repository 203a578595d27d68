/// What of spans a destination gets, and under which names.
struct RunRules: Sendable {
    let hidesInputs: Bool
    let hidesOutputs: Bool
    /// Of traces that name none.
    let project: String

    /// Of what may be either, nothing is sent.
    var hidesContent: Bool { hidesInputs || hidesOutputs }
}

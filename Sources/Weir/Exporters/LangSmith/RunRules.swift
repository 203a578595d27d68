/// What of spans a destination gets, and under which names.
struct RunRules: Sendable {
    let hidesInputs: Bool
    let hidesOutputs: Bool
    /// Of spans that name none.
    let project: String
    /// An attribute of spans or resources that names the project; nil for none beside LangSmith's own.
    let projectKey: AttributeKey?
    /// What the ids of runs are changed by; 0 changes nothing.
    var salt: UInt64 = 0
}

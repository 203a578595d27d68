/// A trace that a stage of one replica keeps for what is in it, which others cannot know.
struct KeptTrace: Equatable, Sendable {
    let trace: TenantTrace
    /// With which it is kept.
    let threshold: SamplingThreshold
    /// Of the policy that keeps it.
    let rule: String
}

/// How a stage tells those of other replicas which traces it keeps, and hears it from them.
///
/// Only what keeps a trace is told: what chance decides, all decide alike. Nothing is promised. Who does not hear of a
/// trace, or too late, has its own decision about its part of it, and every count stays right.
protocol KeepDecisions: Sendable {
    /// Does not wait.
    func announce(_ traces: [KeptTrace])

    /// What others have announced since this was asked last.
    func heard() -> [KeptTrace]
}

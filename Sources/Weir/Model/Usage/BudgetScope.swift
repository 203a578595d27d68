/// Whose spending a budget is about.
enum BudgetScope: String, CaseIterable, Sendable {
    case tenant, user, agent, model
    /// A trace.
    case run
}

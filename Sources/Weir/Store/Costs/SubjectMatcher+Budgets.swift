extension SubjectMatcher {
    /// Whether a crossing of a budget leads to a subject: to a user by its id, to a run by its trace.
    func names(scope: String, id: String, _ traces: Set<TraceID>) -> Bool {
        switch BudgetScope(rawValue: scope) {
        case .user: group.family.column == "user_id" && names(id)
        case .run: TraceID(id).map(traces.contains) ?? false
        case .tenant, .agent, .model, nil: false
        }
    }
}

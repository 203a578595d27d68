extension OperationsRoute {
    static let budgetsPath = "/api/v1/budgets/check"

    /// Whether the next call may be made, for who is about to make it.
    /// - Parameter clock: the time of day.
    static func budgets(_ board: BudgetBoard, clock: @escaping @Sendable () -> Timestamp) -> OperationsRoute {
        OperationsRoute(method: .GET, path: budgetsPath, scope: .read) { request in
            do throws(URLQuery.Problem) {
                let question = try BudgetQuestion(parsing: request.head.uri, request.identity)
                let (tenant, ids) = (question.tenant, question.ids)
                guard let found = board.statuses(tenant: tenant, ids: ids, at: clock()) else {
                    return HTTPResponse(.serviceUnavailable, error: "what was spent has not been read yet")
                        .retry(after: .seconds(1))
                }
                return HTTPResponse(.ok, json: json(found.statuses, asOf: found.asOf, tenant))
            } catch {
                return error.response
            }
        }
    }

    private static func json(_ statuses: [BudgetBook.Status], asOf: Timestamp, _ tenant: String) -> String {
        let isAllowed = !statuses.contains { $0.state == .hard }
        let budgets = statuses.map { status in
            var line = JSONLine()
            line.add("name", status.name)
            line.add("state", status.state.rawValue)
            line.add("scope", status.scope.rawValue)
            line.add("id", status.id.isEmpty ? nil : status.id)
            line.add("window", status.window.rawValue)
            line.add("window_start", status.window == .run ? nil : status.windowStart)
            line.add("spent", status.spent?.inDollars)
            line.add("soft", status.soft?.inDollars)
            line.add("hard", status.hard?.inDollars)
            return line.line
        }
        var line = JSONLine()
        line.add("allowed", isAllowed)
        line.add("tenant", tenant)
        line.add("as_of", asOf)
        line.add("budgets", json: "[\(budgets.joined(separator: ","))]")
        return line.line
    }
}

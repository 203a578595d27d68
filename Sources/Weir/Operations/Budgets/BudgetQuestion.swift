/// What is asked of budgets: `?user=ann&agent=planner`, or `?scope=user&id=ann`.
struct BudgetQuestion: Equatable {
    /// Bytes of an id, as the tables have it.
    static let maximumID = 256

    let tenant: String
    private(set) var ids: [BudgetScope: String] = [:]

    /// - Parameters:
    ///   - uri: the target of the request.
    ///   - identity: who asks; its tenant is the one that is asked about, whatever the query says.
    init(parsing uri: String, _ identity: Identity?) throws(URLQuery.Problem) {
        var query = try URLQuery(of: uri)
        tenant = try query.tenant(of: identity)
        for scope in BudgetScope.allCases where scope != .tenant {
            ids[scope] = try query.text(scope.rawValue)
        }
        let wanted = "one of \(BudgetScope.allCases.map(\.rawValue).joined(separator: ", "))"
        let scope = try query.value("scope", wanted: wanted, BudgetScope.init(rawValue:))
        let id = try query.text("id")
        try query.finish()
        if let scope, scope != .tenant {
            guard let id else {
                throw URLQuery.Problem(message: "id: is missing, wanted that of the \(scope.rawValue)")
            }
            ids[scope] = id
        }
        if let run = ids[.run] {
            guard let trace = TraceID(run) else {
                throw URLQuery.Problem(
                    message: "run: found \(run.quotedForMessage), wanted a trace id of 32 hexadecimal digits")
            }
            // As the ledger writes it.
            ids[.run] = trace.text
        }
        for (scope, id) in ids where id.utf8.count > Self.maximumID {
            throw URLQuery.Problem(
                message: "\(scope.rawValue): found \(id.utf8.count) bytes, wanted 1 to \(Self.maximumID)")
        }
    }
}

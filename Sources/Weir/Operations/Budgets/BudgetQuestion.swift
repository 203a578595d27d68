/// What is asked of budgets: `?user=ann&agent=planner`, or `?scope=user&id=ann`.
struct BudgetQuestion: Equatable {
    struct Problem: Error, Equatable {
        let message: String
        var isForbidden = false
    }

    /// Bytes of an id, as the tables have it.
    static let maximumID = 256

    private(set) var tenant: String
    private(set) var ids: [BudgetScope: String] = [:]

    /// - Parameters:
    ///   - uri: the target of the request.
    ///   - identity: who asks; its tenant is the one that is asked about, whatever the query says.
    init(parsing uri: String, _ identity: Identity?) throws(Problem) {
        tenant = identity?.tenant ?? "default"
        var scope: BudgetScope?
        var id: String?
        let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parts.count == 2, let value = URLQuery.decoded(parts[1]), !value.isEmpty,
                value.utf8.count <= Self.maximumID
            else { throw Problem(message: "\(name): wanted a value of 1 to \(Self.maximumID) bytes") }
            switch name {
            case "tenant":
                guard identity == nil || identity?.tenant == value else {
                    throw Problem(
                        message: "found another tenant than that of the key, wanted its own", isForbidden: true)
                }
                tenant = value
            case "scope":
                scope = BudgetScope(rawValue: value)
                guard scope != nil else { throw Problem(message: "scope: wanted one of \(Self.scopes)") }
            case "id": id = value
            default:
                guard let named = BudgetScope(rawValue: name) else {
                    throw Problem(message: "found \(name.quotedForMessage), wanted one of \(Self.scopes), scope, id")
                }
                ids[named] = value
            }
        }
        if let scope, scope != .tenant {
            guard let id else { throw Problem(message: "id: is missing, wanted that of the \(scope.rawValue)") }
            ids[scope] = id
        }
    }

    private static let scopes = BudgetScope.allCases.map(\.rawValue).joined(separator: ", ")
}

/// What became of a wish to take the files of the configuration as they are now.
enum ReloadOutcome: Sendable {
    case applied
    /// Nothing has changed. The problems, a line each.
    case rejected([String])
}

extension OperationsRoute {
    /// Takes the files of the configuration as they are now, and answers when that is done.
    static func reload(_ reload: @escaping @Sendable () async -> ReloadOutcome) -> OperationsRoute {
        OperationsRoute(method: .POST, path: "/-/reload", scope: .admin) { _ in
            switch await reload() {
            case .applied: return HTTPResponse(.ok, json: #"{"status":"applied"}"#)
            case .rejected(let problems):
                let lines = problems.map(\.quotedAsJSON).joined(separator: ",")
                return HTTPResponse(
                    .unprocessableEntity, json: #"{"error":"the configuration stays as it was","problems":[\#(lines)]}"#
                )
            }
        }
    }
}

/// What became of a wish to take the files of the configuration as they are now.
enum ReloadOutcome: Sendable {
    /// What is in the way, as a metric names it.
    enum Obstacle: String, CaseIterable {
        /// Something is wrong with `collector.yaml`.
        case configuration
        /// A pipeline whose file is wrong names something of `collector.yaml` that has changed.
        case conflict
        /// A key that it takes a restart to change.
        case restart
        /// A component cannot be made.
        case component
        case stopping
    }

    /// - Parameter kept: what is wrong with files of pipelines that say what they said before, a line each.
    case applied(kept: [String])
    /// Nothing has changed. The problems, a line each.
    case rejected(Obstacle, [String])
}

extension OperationsRoute {
    /// Takes the files of the configuration as they are now, and answers when that is done.
    static func reload(_ reload: @escaping @Sendable () async -> ReloadOutcome) -> OperationsRoute {
        OperationsRoute(method: .POST, path: "/-/reload", scope: .admin) { _ in
            switch await reload() {
            case .applied(let problems) where problems.isEmpty:
                return HTTPResponse(.ok, json: #"{"status":"applied"}"#)
            case .applied(let problems):
                let lines = problems.map(\.quotedAsJSON).joined(separator: ",")
                return HTTPResponse(.ok, json: #"{"status":"applied in part","problems":[\#(lines)]}"#)
            case .rejected(_, let problems):
                let lines = problems.map(\.quotedAsJSON).joined(separator: ",")
                return HTTPResponse(
                    .unprocessableEntity, json: #"{"error":"the configuration stays as it was","problems":[\#(lines)]}"#
                )
            }
        }
    }
}

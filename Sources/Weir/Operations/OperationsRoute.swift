import NIOHTTP1

/// One thing that can be asked of a running Weir.
struct OperationsRoute: Sendable {
    let method: HTTPMethod
    let path: String
    /// What a client must be allowed to do; nil for what anybody may ask who reaches the listener.
    let scope: Scope?
    /// Whether `reveal` in its query asks for what is encrypted, which takes a scope of its own.
    var reveals = false
    /// Called on the listener's event loop, so what takes long waits elsewhere.
    let answer: @Sendable (HTTPRequest) async -> HTTPResponse

    /// What this request takes.
    func scope(of head: HTTPRequestHead) -> Scope? {
        reveals && URLQuery.has(URLQuery.reveal, in: head.uri) ? .reveal : scope
    }
}

extension OperationsRoute {
    /// Whether Weir runs and whether it takes requests, for those who start it and send it traffic.
    static func health(_ health: Health) -> [OperationsRoute] {
        [
            OperationsRoute(method: .GET, path: "/-/healthy", scope: nil) { _ in
                let complaints = health.complaints.map(\.quotedAsJSON).joined(separator: ",")
                let status = complaints.isEmpty ? "ok" : "degraded"
                return HTTPResponse(.ok, json: #"{"status":"\#(status)","complaints":[\#(complaints)]}"#)
            },
            OperationsRoute(method: .GET, path: "/-/ready", scope: nil) { _ in
                let phase = health.phase
                return HTTPResponse(
                    phase == .ready ? .ok : .serviceUnavailable, json: #"{"status":"\#(phase.rawValue)"}"#)
            },
        ]
    }
}

import Logging
import NIOCore
import NIOHTTP1

/// Serves what can be asked of a running Weir: a table of routes, behind keys unless only this machine reaches it.
struct OperationsServer: Sendable {
    private let server: HTTPServer
    private let logger: Logger

    init(_ listener: HTTPListener, routes: [OperationsRoute], metrics: MetricRegistry, logger: Logger) {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 1 << 20
        limits.maxConnections = 64
        limits.drainTimeout = .seconds(1)
        let foreign = metrics.counter(
            "weir_foreign_tenant_requests",
            help: "Questions about another tenant than that of the key, which are refused.")
        server = HTTPServer(listener, limits: limits, loops: 1) {
            [isOpen = listener.authentication == nil, isLocal = listener.endpoint.isLoopback] _ in
            OperationsResponder(routes, foreign, isOpen: isOpen, isLocal: isLocal)
        }
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    func run(onListening: @escaping @Sendable () -> Void = {}) async throws {
        try await server.run { address in
            logger.info("listening", metadata: ["endpoint": "\(address)", "protocol": "operations"])
            onListening()
        }
    }

    /// Serves from now on as `next` would, which has the same endpoint.
    func become(_ next: OperationsServer) async throws {
        try await server.become(next.server)
    }
}

private final class OperationsResponder: HTTPResponder {
    private let routes: [OperationsRoute]
    /// Questions about tenants of others.
    private let foreign: Counter
    /// Whether nobody is asked for a key.
    private let isOpen: Bool
    /// Whether only this machine reaches the listener.
    private let isLocal: Bool

    init(_ routes: [OperationsRoute], _ foreign: Counter, isOpen: Bool, isLocal: Bool) {
        self.routes = routes
        self.foreign = foreign
        self.isOpen = isOpen
        self.isLocal = isLocal
    }

    func scope(of head: HTTPRequestHead) -> Scope? {
        // Who may do nothing learns nothing of what is there.
        guard let route = route(of: head) else { return .read }
        return route.scope(of: head)
    }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        if let reason = foreignness(of: head) { return HTTPResponse(.forbidden, error: reason) }
        if route(of: head) != nil { return nil }
        let methods = routes.filter { $0.path == head.path }.map(\.method.rawValue).joined(separator: ", ")
        guard !methods.isEmpty else {
            return HTTPResponse(
                .notFound, error: "found path \(String(head.path).quotedForMessage), which is not there")
        }
        var response = HTTPResponse(.methodNotAllowed, error: "found method \(head.method), wanted \(methods)")
        response.headers.append(("Allow", methods))
        return response
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard let route = route(of: request.head) else {
            return HTTPResponse(.notFound, error: "there is no such path")
        }
        let response = await route.answer(request)
        // The key has the scope, or the request had not come this far: it asks for what is not its tenant's.
        if response.status == .forbidden, request.identity != nil { foreign.add() }
        return response
    }

    private func route(of head: HTTPRequestHead) -> OperationsRoute? {
        routes.first { $0.path == head.path && $0.method == head.method }
    }

    /// A page of any website can send requests from a browser, with the certificate and the Basic password that the
    /// browser has for this address. What the browser says tells them apart: the page's origin, and, where no key is
    /// asked for, in `Host` a name that is not this machine's.
    private func foreignness(of head: HTTPRequestHead) -> String? {
        if head.headers.contains(name: "origin") { return "found an Origin, wanted none: no web page asks here" }
        // From elsewhere only those come who have shown a certificate, under whatever name this machine has there.
        return isOpen && isLocal ? head.foreignHost : nil
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        fault.response { HTTPResponse($0, error: $1) }
    }
}

extension HTTPResponse {
    init(_ status: HTTPResponseStatus, json: String) {
        self.init(status, contentType: "application/json", body: ByteBuffer(string: json + "\n"))
    }

    /// - Parameter error: what was found and what was wanted, for the client and for the log.
    init(_ status: HTTPResponseStatus, error: String) {
        self = HTTPResponse(status, json: #"{"error":\#(error.quotedAsJSON)}"#).refusing(error)
    }
}

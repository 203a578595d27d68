import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends requests over HTTP/1.1, each request in one attempt, with as many connections as there are calls at once. They
/// are kept for the next calls.
///
/// Follows no redirect and asks for no compression, so what comes back is what the server that was named has said.
final class HTTPClient: Sendable {
    /// Covers the handshake of TLS too.
    static let connectTimeout = Duration.seconds(10)
    /// Shorter than servers have it, because one that closes a connection just when a request comes costs an attempt.
    static let idleTimeout = Duration.seconds(30)

    private let client: AsyncHTTPClient.HTTPClient

    init(tls: ClientTLS?) throws(TLSFileError) {
        var configuration = AsyncHTTPClient.HTTPClient.Configuration(
            tlsConfiguration: try tls?.configuration(), redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(Self.connectTimeout)), decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = TimeAmount(Self.idleTimeout)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = .max
        // The caller repeats, and wants to know why it has to.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Nobody has set one up, and the library would ask for it with each request.
        configuration.tracing.tracer = nil
        client = AsyncHTTPClient.HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // Of use where nobody called `shutDown`, as for a component of a service that could not start.
        client.shutdown { _ in }
    }

    /// Waits for the whole answer until the task is cancelled, or for as long as `timeout`.
    /// - Parameter limit: bytes of the answer's body that are read at most; the rest is cut off.
    func post(
        _ body: [UInt8], to url: HTTPURL, headers: [(name: String, value: String)], limit: Int,
        timeout: Duration? = nil
    ) async throws(HTTPFailure) -> HTTPAnswer {
        var request = HTTPClientRequest(url: url.description)
        request.method = .POST
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await send(request, to: url, headers, limit, timeout)
    }

    /// The same, without a body.
    func get(
        _ url: HTTPURL, headers: [(name: String, value: String)], limit: Int, timeout: Duration
    ) async throws(HTTPFailure) -> HTTPAnswer {
        try await send(HTTPClientRequest(url: url.description), to: url, headers, limit, timeout)
    }

    /// Any other.
    /// - Parameter query: percent-encoded, without its question mark.
    func send(
        _ method: String, _ body: [UInt8]?, to url: HTTPURL, query: String, headers: [(name: String, value: String)],
        limit: Int, timeout: Duration
    ) async throws(HTTPFailure) -> HTTPAnswer {
        var request = HTTPClientRequest(url: query.isEmpty ? url.description : "\(url)?\(query)")
        request.method = HTTPMethod(rawValue: method)
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        return try await send(request, to: url, headers, limit, timeout)
    }

    private func send(
        _ request: HTTPClientRequest, to url: HTTPURL, _ headers: [(name: String, value: String)], _ limit: Int,
        _ timeout: Duration?
    ) async throws(HTTPFailure) -> HTTPAnswer {
        var request = request
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        do {
            guard let timeout else { return try await answer(to: request, limit) }
            return try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                group.addTask { [request] in try await self.answer(to: request, limit) }
                // A deadline of the library would be for the head only: who has sent that may say nothing more.
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw HTTPClientError.deadlineExceeded
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw CancellationError() }
                return answer
            }
        } catch {
            throw HTTPFailure(error, at: url.endpoint)
        }
    }

    private func answer(to request: HTTPClientRequest, _ limit: Int) async throws -> HTTPAnswer {
        let response = try await client.execute(request, deadline: .distantFuture)
        var body: [UInt8] = []
        for try await piece in response.body {
            body.append(contentsOf: piece.readableBytesView.prefix(limit - body.count))
            // Leaving the loop closes the connection.
            if body.count == limit { break }
        }
        return HTTPAnswer(
            status: Int(response.status.code), contentType: response.headers.first(name: "content-type") ?? "",
            retryAfter: response.headers.first(name: "retry-after"), body: body,
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first })
    }

    /// Closes the connections. Calls after that fail.
    func shutDown() async {
        try? await client.shutdown()
    }
}

/// What a server answered.
struct HTTPAnswer: Sendable {
    let status: Int
    /// Empty where there is none.
    let contentType: String
    let retryAfter: String?
    let body: [UInt8]
    /// By lower-case name, the first of each.
    var headers: [String: String] = [:]

    /// What can be said of the body without saying what it says.
    var bodySize: String { body.isEmpty ? "" : "\(body.count) bytes" }

    /// It is for people, and so not that of an API: a page to log in, or a captive portal.
    var isPage: Bool { !body.isEmpty && contentType.lowercased().hasPrefix("text/html") }
}

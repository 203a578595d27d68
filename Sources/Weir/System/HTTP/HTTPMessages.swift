import NIOCore
import NIOHTTP1

/// A request whose body has arrived.
struct HTTPRequest {
    let head: HTTPRequestHead
    let body: Payload
    /// When its head had come.
    let startedAt: NIODeadline
    /// Who sent it; nil where the listener asks nobody.
    var identity: Identity?
    /// The client's address; empty where there is none.
    var address = ""
    /// In which the body holds its bytes, and what becomes of it may hold more; nil where nobody counts.
    var budget: ByteBudget?

    /// The path without the query.
    var path: Substring { head.path }
}

extension HTTPRequestHead {
    /// The path without the query. RFC 9112 3.2.2: "a server MUST accept the absolute-form in requests", as in
    /// `POST http://host/v1/traces`.
    var path: Substring {
        let target = uri.prefix { $0 != "?" }
        guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return target }
        let path = target[scheme.upperBound...].drop { $0 != "/" }
        return path.isEmpty ? "/" : path
    }
}

struct HTTPResponse: Sendable {
    var status: HTTPResponseStatus
    var contentType: String
    var body: ByteBuffer
    /// Further header fields, `Retry-After` among them.
    var headers: [(name: String, value: String)] = []
    /// Fields behind the body. Over HTTP/1.1 they are left out.
    var trailers: [(name: String, value: String)] = []
    /// What the log is told; nil where nothing was refused, and where whoever did it has told the log.
    var refusal: HTTPRefusal?

    init(_ status: HTTPResponseStatus, contentType: String, body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(_ status: HTTPResponseStatus, text: String) {
        self.init(status, contentType: "text/plain; charset=utf-8", body: ByteBuffer(string: text))
    }

    /// Has the log told that it refuses a request.
    func refusing(_ reason: String) -> HTTPResponse {
        var response = self
        response.refusal = HTTPRefusal(status: Int(status.code), reason: reason)
        return response
    }

    /// Adds `Retry-After` in whole seconds, at least one: a client that reads 0 would come back at once.
    func retry(after pause: Duration) -> HTTPResponse {
        var response = self
        response.headers.append(("Retry-After", "\(max(1, Int((pause / .seconds(1)).rounded(.up))))"))
        return response
    }
}

/// What the server itself has to say about a request.
enum HTTPFault: Error, Sendable {
    case malformed(String)
    /// Nobody knows who the client is.
    case unauthenticated(String)
    /// The client may not do this.
    case forbidden(String)
    case tooManyFailures(retryAfter: Duration)
    /// Nobody can say yet who the client is.
    case notReady
    case headersTooLarge
    case bodyTooLarge(limit: Int)
    case headerTimeout
    case bodyTimeout
    case tooManyConnections
    case tooManyBytesInFlight
    case stopping
}

/// Answers requests on one event loop. Each loop has its own, so it needs no lock.
protocol HTTPResponder: AnyObject {
    /// What a client must be allowed to do. Asked only where clients have to say who they are.
    /// - Returns: nil for what anybody may ask who reaches the listener.
    func scope(of head: HTTPRequestHead) -> Scope?
    /// What a client shows to prove who it is; nil where it shows nothing.
    func credentials(of head: HTTPRequestHead) -> Credentials?
    /// A look at the head, before the body is read. - Returns: an answer, when no body can change it.
    func refusal(of head: HTTPRequestHead) -> HTTPResponse?
    func respond(to request: HTTPRequest) async -> HTTPResponse
    /// How a fault is put into words for whoever sent `head`, which is nil where no head could be read.
    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse
}

extension HTTPResponder {
    func credentials(of head: HTTPRequestHead) -> Credentials? { Credentials(of: head) }
}

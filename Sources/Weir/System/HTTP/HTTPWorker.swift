import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// What the connections of one event loop share.
final class HTTPWorker {
    private(set) var responder: any HTTPResponder
    private(set) var limits: HTTPLimits
    private(set) var listener: HTTPListener
    let executor: EventLoopExecutor
    let budget: ByteBudget
    let connections: Connections

    init(
        responder: any HTTPResponder, executor: EventLoopExecutor, limits: HTTPLimits, listener: HTTPListener,
        budget: ByteBudget, connections: Connections
    ) {
        self.responder = responder
        self.executor = executor
        self.limits = limits
        self.listener = listener
        self.budget = budget
        self.connections = connections
    }

    /// For the next requests.
    func change(to responder: any HTTPResponder, _ limits: HTTPLimits, _ listener: HTTPListener) {
        self.responder = responder
        self.limits = limits
        self.listener = listener
    }

    /// Counts a connection that begins. Asked again for the same one, it says the same.
    /// - Returns: whether it is one too many, which its requests are told. Beyond those that are told so, and while the
    ///   server stops, it is closed.
    func admit(_ channel: any Channel) -> Bool {
        let open = connections.add(channel)
        let isBeyond = open > limits.maxConnections + HTTPLimits.politeConnections
        if isBeyond || connections.isDraining {
            if isBeyond { cut(channel.remoteAddress?.ipAddress ?? "", "there are too many connections") }
            channel.close(promise: nil)
        }
        return open > limits.maxConnections
    }

    /// What a client is told that has done something wrong; the log is told too.
    /// - Parameters:
    ///   - head: nil where none could be read.
    ///   - address: the client's.
    func response(to fault: HTTPFault, head: HTTPRequestHead?, from address: String) -> HTTPResponse {
        told(responder.response(to: fault, head: head), from: address)
    }

    /// The same answer, once the log is told where it refuses something.
    func told(_ response: HTTPResponse, from address: String, _ identity: Identity? = nil) -> HTTPResponse {
        if let logger = listener.logger { response.refusal?.write(to: logger, from: address, identity) }
        return response
    }

    /// Tells the log of a connection that ends before it was a request to answer.
    func cut(_ address: String, _ reason: String) {
        listener.logger?.warning("cut a connection", metadata: ["client": "\(address)", "reason": "\(reason)"])
    }

    /// Who has sent `head`, and the answer where nothing of the body is wanted. Nothing of it is read then, but what is
    /// on its way.
    /// - Parameter certificate: of the connection; it counts where no key came.
    func receive(
        _ head: HTTPRequestHead, from address: String, _ certificate: ClientCertificate?
    ) -> (identity: Identity?, response: HTTPResponse?) {
        if let preflight = listener.cors?.preflight(head) { return (nil, told(preflight, from: address)) }
        guard let authentication = listener.authentication, let scope = responder.scope(of: head) else {
            return (nil, responder.refusal(of: head).map { told($0, from: address) })
        }
        var credentials = responder.credentials(of: head)
        if credentials == nil, !head.hasKey, let certificate {
            credentials = Credentials(key: "", certificate: certificate)
        }
        do throws(HTTPFault) {
            let identity = try authentication.identify(credentials, wanting: scope, from: address)
            return (identity, responder.refusal(of: head).map { told($0, from: address, identity) })
        } catch {
            var response = response(to: error, head: head, from: address)
            // RFC 9110 15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header field".
            if case .unauthenticated = error {
                // For Basic a browser asks whoever looks at the page for a password.
                let isOfPage = head.headers.contains(name: "origin")
                let challenge = isOfPage ? #"Bearer realm="weir""# : #"Bearer realm="weir", Basic realm="weir""#
                response.headers.append(("WWW-Authenticate", challenge))
            }
            return (nil, response)
        }
    }
}

extension HTTPWorker {
    /// What the client has shown of itself, where the listener asks for it. Whether anybody wants to know may change
    /// while the connection stays.
    func certificate(of channel: any Channel) -> ClientCertificate? {
        guard listener.tls != nil,
            let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let der = try? handler.peerCertificate?.toDERBytes()
        else { return nil }
        return ClientCertificate(der: der)
    }
}

// MARK: - What a connection is made of

extension HTTPWorker {
    func addHandlers(to channel: any Channel) throws {
        if let tls = listener.tls { try channel.pipeline.syncOperations.addHandler(tls.makeHandler()) }
        switch listener.versions {
        case .two: try addHTTP2(to: channel)
        case .oneOrTwo where listener.tls != nil:
            try channel.pipeline.syncOperations.addHandler(HTTPNegotiation(self))
        case .one, .oneOrTwo: try addHTTP1(to: channel)
        }
    }

    func addHTTP1(to channel: any Channel) throws {
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderListSize = HTTPLimits.maxHeaderBytes
        decoderLimits.maxHeaderFieldSize = HTTPLimits.maxHeaderBytes
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: HTTPResponseEncoder.Configuration(),
            withDecoderLimitConfiguration: decoderLimits)
        try pipeline.addHandler(HTTPConnection(self))
    }

    func addHTTP2(to channel: any Channel) throws {
        let connection = HTTP2Connection(self)
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: limits.http2.connection,
            streamConfiguration: limits.http2.stream
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream(bound.value))
            }
        }
        try channel.pipeline.syncOperations.addHandlers([handler, connection])
    }
}

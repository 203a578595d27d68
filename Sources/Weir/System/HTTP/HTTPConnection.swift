import NIOCore
import NIOHTTP1

/// One connection: reads a request, has it answered, writes the answer.
///
/// Time-outs cost nothing per request: a connection has one deadline, and one timer that looks at it as often as the
/// shortest time-out. No deadline that is set between two looks can be due before the second.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between requests, or before the first.
        case idle
        /// Something of a head has come.
        case readingHead
        /// The rest of the head did not come in time.
        case headTimedOut
        case readingBody(HTTPRequestHead, startedAt: NIODeadline)
        /// The answer is known before the body has come. The body is small: it is thrown away and the connection kept.
        case skippingBody(HTTPRequestHead, HTTPResponse)
        /// The request is whole, but the client has yet to read the answers to earlier ones.
        case waitingToAnswer(HTTPRequestHead, startedAt: NIODeadline)
        /// The responder has the request.
        case answering
        /// The last answer is given. What the client still sends is thrown away until it closes: closing first would
        /// reset the connection and could take the answer with it.
        case lingering
        case closed
    }

    private let worker: HTTPWorker
    private var state = State.idle
    private var body: HTTPBody
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var closesAfterAnswer = false
    /// Whether the present request asks for another protocol. NIO's parser then reads nothing behind it, whatever it is
    /// answered: what comes would gather in front of the parser, beside every limit.
    private var isLast = false
    /// Whether that request has come to its end, and nothing is read any more.
    private var isDeaf = false
    /// Of the client. A channel that is closed cannot say it any more.
    private var address = ""
    /// Who has sent the request that is being read.
    private var identity: Identity?
    /// Of the client; nil while nobody has looked.
    private var certificate: ClientCertificate??
    private var isOverLimit = false
    /// Whether an answer is being written. The end of one lets NIO deliver the next request, inside the write.
    private var isWriting = false
    /// Whether the bytes that came last made a part of a request.
    private var hasReadPart = false
    /// Whether something of a request has come.
    private var hasBegun = false

    init(_ worker: HTTPWorker) {
        self.worker = worker
        body = HTTPBody(worker)
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { open(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        open(context)
        context.fireChannelActive()
    }

    private func open(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        address = context.remoteAddress?.ipAddress ?? ""
        isOverLimit = worker.admit(context.channel)
        // Closed already: nobody would stop the timer, which keeps the connection.
        guard context.channel.isActive else { return }
        // A client that connects and says nothing is as slow as one that sends half a head.
        set(worker.limits.readHeaderTimeout, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.connections.remove(context.channel)
        timer?.cancel()
        // What the responder has is there until it answers, whoever waits for that.
        if case .answering = state {} else { body.letGo() }
        state = .closed
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case Connections.Request.finish? = event as? Connections.Request {
            closesAfterAnswer = true
            if owesNoAnswer { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private var owesNoAnswer: Bool {
        switch state {
        case .idle, .readingHead, .lingering: true
        default: false
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // A client that sends requests and reads no answers is not read from either.
        context.channel.setOption(.autoRead, value: context.channel.isWritable && !isDeaf).whenFailure { _ in }
        if context.channel.isWritable, case .waitingToAnswer(let head, let startedAt) = state {
            answer(head, startedAt, context)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReadPart = true
        hasBegun = true
        let part = Self.unwrapInboundIn(data)
        if isLast, case .end = part {
            isDeaf = true
            context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        }
        switch (part, state) {
        case (.head(let head), .idle), (.head(let head), .readingHead): start(head, context)
        case (.body(let bytes), .readingBody(let head, _)):
            if let fault = body.append(bytes) { refuse(fault, head, context) }
        case (.end, .readingBody(let head, let startedAt)): answer(head, startedAt, context)
        case (.end, .skippingBody(let head, let response)): write(response, head, context)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Bytes came that made no part of a request: a head has begun, and the sender has this long to end it.
        if case .idle = state, !hasReadPart {
            state = .readingHead
            set(worker.limits.readHeaderTimeout, context)
        }
        hasReadPart = false
        context.fireChannelReadComplete()
    }

    private func start(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if head.asksForAnotherProtocol { (isLast, closesAfterAnswer) = (true, true) }
        if isOverLimit { return refuse(.tooManyConnections, head, context) }
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) }
        if let announced, announced > worker.limits.maxBodyBytes {
            return refuse(.bodyTooLarge(limit: worker.limits.maxBodyBytes), head, context)
        }
        // RFC 9112 3.2: a request without a Host, or with several, MUST be answered 400.
        if head.version == .http1_1, head.headers["host"].count != 1 {
            return refuse(.malformed("found \(head.headers["host"].count) Host fields, wanted one"), head, context)
        }
        if certificate == nil { certificate = .some(worker.certificate(of: context.channel)) }
        let sender = worker.receive(head, from: address, certificate ?? nil)
        identity = sender.identity
        if let response = sender.response {
            // A client that asks first sends its body only if it is told to, so there may be nothing to skip.
            guard !head.isChunked, !head.expectsContinue, announced ?? 0 <= HTTPLimits.maxSkippedBody else {
                return write(response, head, context, closing: true)
            }
            state = .skippingBody(head, response)
            return set(worker.limits.readTimeout, context, now: now)
        }
        // RFC 9110 10.1.1: a client that expects it waits for this before it sends the body.
        if head.version == .http1_1, head.expectsContinue {
            context.writeAndFlush(
                Self.wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
        }
        state = .readingBody(head, startedAt: now)
        body.begin(announced: announced ?? 0, from: identity)
        set(worker.limits.readTimeout, context, now: now)
    }

    private func answer(_ head: HTTPRequestHead, _ startedAt: NIODeadline, _ context: ChannelHandlerContext) {
        // One read may hold a thousand pipelined requests, and nobody has to read the answers.
        guard context.channel.isWritable else {
            state = .waitingToAnswer(head, startedAt: startedAt)
            return set(worker.limits.idleTimeout, context)
        }
        state = .answering
        deadline = .distantFuture
        let request = HTTPRequest(
            head: head, body: body.take(), startedAt: startedAt, identity: identity, address: address,
            budget: worker.budget)
        let exchange = NIOLoopBound(Exchange(self, context, request), eventLoop: context.eventLoop)
        Task(executorPreference: worker.executor) {
            let exchange = exchange.value
            let worker = exchange.connection.worker
            let request = exchange.request
            let response = worker.told(
                await worker.responder.respond(to: request), from: request.address, request.identity)
            exchange.connection.write(response, request.head, exchange.context)
        }
    }

    /// A request on its way to the responder and back.
    private final class Exchange {
        let connection: HTTPConnection
        let context: ChannelHandlerContext
        let request: HTTPRequest

        init(_ connection: HTTPConnection, _ context: ChannelHandlerContext, _ request: HTTPRequest) {
            self.connection = connection
            self.context = context
            self.request = request
        }
    }

    // MARK: Writing

    private func refuse(_ fault: HTTPFault, _ head: HTTPRequestHead?, _ context: ChannelHandlerContext) {
        write(worker.response(to: fault, head: head, from: address), head, context, closing: true)
    }

    /// - Parameter closing: the request was not read to its end, so the connection cannot be used again.
    private func write(
        _ response: HTTPResponse, _ head: HTTPRequestHead?, _ context: ChannelHandlerContext, closing: Bool = false
    ) {
        if case .closed = state { return body.letGo() }
        if isWriting { return writeLater(response, head, context, closing) }
        isWriting = true
        defer { isWriting = false }
        body.letGo()
        let keepsAlive = !closing && !closesAfterAnswer && head?.isKeepAlive == true
        var headers = HTTPHeaders()
        headers.reserveCapacity(4 + response.headers.count)
        if !response.contentType.isEmpty { headers.add(name: "Content-Type", value: response.contentType) }
        // RFC 9110 8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of
        // 1xx (Informational) or 204 (No Content)."
        if response.status != .noContent {
            headers.add(name: "Content-Length", value: "\(response.body.readableBytes)")
        }
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        for (name, value) in worker.listener.cors?.headers(for: head) ?? [] { headers.add(name: name, value: value) }
        if !keepsAlive { headers.add(name: "Connection", value: "close") }
        if keepsAlive, head?.version == .http1_0 { headers.add(name: "Connection", value: "keep-alive") }
        let version = HTTPVersion.http1_1
        context.write(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: version, status: response.status, headers: headers))),
            promise: nil)
        if response.body.readableBytes > 0, head?.method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
        }
        state = keepsAlive ? .idle : .lingering
        set(keepsAlive ? worker.limits.idleTimeout : worker.limits.readTimeout, context)
        if keepsAlive {
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        } else {
            context.close(isDeaf ? .all : .output, after: context.writeAndFlush(Self.wrapOutboundOut(.end(nil))))
        }
    }

    /// A thousand pipelined requests that are answered at once would otherwise nest a thousand writes.
    private func writeLater(
        _ response: HTTPResponse, _ head: HTTPRequestHead?, _ context: ChannelHandlerContext, _ closing: Bool
    ) {
        state = .answering
        let bound = NIOLoopBound((self, head, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let (connection, head, context) = bound.value
            connection.write(response, head, context, closing: closing)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            if !hasBegun { worker.listener.tls?.noteFailure(error, from: address) }
            return context.close(promise: nil)
        }
        switch state {
        case .headTimedOut: refuse(.headerTimeout, nil, context)
        case .idle, .readingHead, .readingBody:
            let fault: HTTPFault = error == .headerOverflow ? .headersTooLarge : .malformed(error.words)
            refuse(fault, nil, context)
        default: context.close(promise: nil)
        }
    }

    // MARK: Time

    private func set(_ limit: Duration, _ context: ChannelHandlerContext, now: NIODeadline = .now()) {
        deadline = now + TimeAmount(limit)
        if timer == nil { schedule(context) }
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let look = min(deadline, .now() + TimeAmount(worker.limits.shortestTimeout))
        timer = context.eventLoop.scheduleTask(deadline: look) { bound.value.0.timePassed(bound.value.1) }
    }

    private func timePassed(_ context: ChannelHandlerContext) {
        let isDue = deadline <= .now()
        if isDue { deadline = .distantFuture }
        schedule(context)
        guard isDue else { return }
        switch state {
        case .readingBody(let head, _), .skippingBody(let head, _): refuse(.bodyTimeout, head, context)
        case .readingHead:
            // NIO's pipelining handler lets an answer to half a head pass only where the parser has failed.
            state = .headTimedOut
            context.pipeline.fireErrorCaught(HTTPParserError.invalidEOFState)
        default:
            if !hasBegun { worker.cut(address, HTTPLimits.silence) }
            context.close(promise: nil)
        }
    }
}

extension ChannelHandlerContext {
    /// Tells the client that no more answers come. It closes, or the deadline does; where nothing is read any more,
    /// nobody would see that it has.
    fileprivate func close(_ mode: CloseMode, after written: EventLoopFuture<Void>) {
        let channel = channel
        written.whenComplete { _ in channel.close(mode: mode, promise: nil) }
    }
}

extension HTTPRequestHead {
    /// RFC 9110 7.8: "A server MAY ignore a received Upgrade header field"; 9.3.6 of CONNECT.
    fileprivate var asksForAnotherProtocol: Bool { method == .CONNECT || headers.contains(name: "upgrade") }

    fileprivate var isChunked: Bool { headers.contains(name: "transfer-encoding") }

    fileprivate var expectsContinue: Bool {
        headers.contains(name: "expect") && headers["expect"].contains { $0.lowercased() == "100-continue" }
    }
}

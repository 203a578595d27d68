import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// One request over HTTP/2: reads it, has it answered, writes the answer.
final class HTTP2Stream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum State {
        case readingHead
        case readingBody(HTTPRequestHead, startedAt: NIODeadline)
        /// The responder has the request.
        case answering
        /// The answer is written; the client may yet have to take it.
        case answered
        case closed
    }

    private let connection: HTTP2Connection
    private var context: ChannelHandlerContext?
    private var state = State.readingHead
    private var body: HTTPBody
    /// Who has sent the request.
    private var identity: Identity?
    /// When ``timeOut()`` is to be called.
    private(set) var deadline = NIODeadline.distantFuture

    private var worker: HTTPWorker { connection.worker }

    init(_ connection: HTTP2Connection) {
        self.connection = connection
        body = HTTPBody(connection.worker)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.add(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    private func end() {
        if case .closed = state { return }
        // What the responder has is there until it answers, whoever waits for that.
        if case .answering = state {} else { body.letGo() }
        state = .closed
        context = nil
        connection.remove(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The stream ends with it, and what counts is counted by the connection.
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.noteRead()
        switch (Self.unwrapInboundIn(data), state) {
        case (.headers(let block), .readingHead): start(block, context)
        case (.headers(let trailers), .readingBody(let head, let startedAt)):
            if trailers.endStream { answer(head, startedAt, context) }
        case (.data(let data), .readingBody(let head, let startedAt)):
            guard case .byteBuffer(let bytes) = data.data else { return }
            if let fault = body.append(bytes) { return refuse(fault, head, false) }
            if data.endStream { answer(head, startedAt, context) }
        default: break
        }
    }

    private func start(_ block: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        guard !connection.isCrowded else {
            // RFC 9113 8.7: "The REFUSED_STREAM error code … indicate[s] that the stream is being closed prior to any
            // processing having occurred. Any request that was sent on the reset stream can be safely retried."
            state = .answered
            write(.rstStream(.refusedStream), context)
            return context.flush()
        }
        let head = HTTPRequestHead(block.headers)
        let isWhole = block.endStream
        let now = NIODeadline.now()
        if connection.isOverLimit {
            refuse(.tooManyConnections, head, isWhole)
            return connection.leave()
        }
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard announced <= worker.limits.maxBodyBytes else {
            return refuse(.bodyTooLarge(limit: worker.limits.maxBodyBytes), head, isWhole)
        }
        let sender = worker.receive(head, from: connection.address, connection.certificate)
        identity = sender.identity
        if let response = sender.response { return write(response, to: head, isWhole: isWhole) }
        if isWhole { return answer(head, now, context) }
        state = .readingBody(head, startedAt: now)
        body.begin(announced: announced, from: identity)
        expect(worker.limits.readTimeout, now)
    }

    private func answer(_ head: HTTPRequestHead, _ startedAt: NIODeadline, _ context: ChannelHandlerContext) {
        state = .answering
        deadline = .distantFuture
        let request = HTTPRequest(
            head: head, body: body.take(), startedAt: startedAt, identity: identity, address: connection.address,
            budget: worker.budget)
        let exchange = NIOLoopBound(Exchange(self, request), eventLoop: context.eventLoop)
        Task(executorPreference: worker.executor) {
            let exchange = exchange.value
            let worker = exchange.stream.worker
            let request = exchange.request
            let response = worker.told(
                await worker.responder.respond(to: request), from: request.address, request.identity)
            exchange.stream.write(response, to: request.head, isWhole: true)
        }
    }

    /// A request on its way to the responder and back.
    private final class Exchange {
        let stream: HTTP2Stream
        let request: HTTPRequest

        init(_ stream: HTTP2Stream, _ request: HTTPRequest) {
            self.stream = stream
            self.request = request
        }
    }

    // MARK: Writing

    private func refuse(_ fault: HTTPFault, _ head: HTTPRequestHead, _ isWhole: Bool) {
        write(worker.response(to: fault, head: head, from: connection.address), to: head, isWhole: isWhole)
    }

    /// - Parameter isWhole: whether the request was read to its end.
    private func write(_ response: HTTPResponse, to head: HTTPRequestHead, isWhole: Bool) {
        body.letGo()
        guard let context else { return }
        state = .answered
        expect(worker.limits.idleTimeout, .now())
        let hasBody = response.body.readableBytes > 0 && head.method != .HEAD
        let hasTrailers = !response.trailers.isEmpty
        var headers = HPACKHeaders([(":status", "\(response.status.code)")])
        if !response.contentType.isEmpty { headers.add(name: "content-type", value: response.contentType) }
        let allowed = worker.listener.cors?.headers(for: head) ?? []
        for (name, value) in response.headers + allowed { headers.add(name: name.lowercased(), value: value) }
        write(.headers(.init(headers: headers, endStream: !hasBody && !hasTrailers)), context)
        if hasBody { write(.data(.init(data: .byteBuffer(response.body), endStream: !hasTrailers)), context) }
        if hasTrailers {
            let trailers = HPACKHeaders(response.trailers.map { ($0.name, $0.value) })
            write(.headers(.init(headers: trailers, endStream: true)), context)
        }
        // RFC 9113 8.1: "a server MAY request that the client abort transmission of a request without error by sending
        // a RST_STREAM with an error code of NO_ERROR after sending a complete response".
        if !isWhole { write(.rstStream(.noError), context) }
        context.flush()
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.write(Self.wrapOutboundOut(payload), promise: nil)
    }

    // MARK: Time

    private func expect(_ limit: Duration, _ now: NIODeadline) {
        deadline = now + TimeAmount(limit)
        connection.look(by: deadline)
    }

    /// The deadline is over.
    func timeOut() {
        deadline = .distantFuture
        switch state {
        case .readingBody(let head, _): refuse(.bodyTimeout, head, false)
        // The client does not take its answer.
        case .answered: context?.close(promise: nil)
        case .readingHead, .answering, .closed: break
        }
    }
}

extension HTTPRequestHead {
    /// RFC 9113 8.3: what HTTP/1.1 has in its first line stands in pseudo-header fields. NIO has seen to it that they
    /// are there, each once and in front, and that no name has an upper-case letter.
    fileprivate init(_ block: HPACKHeaders) {
        var fields = HTTPHeaders()
        fields.reserveCapacity(block.count)
        var (method, path) = ("", "")
        for (name, value, _) in block {
            switch name {
            case ":method": method = value
            case ":path": path = value
            case ":authority": fields.add(name: "host", value: value)
            case _ where name.hasPrefix(":"): break
            default: fields.add(name: name, value: value)
            }
        }
        self.init(version: .http2, method: HTTPMethod(rawValue: method), uri: path, headers: fields)
    }
}

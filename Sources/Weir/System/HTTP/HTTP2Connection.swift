import NIOCore
import NIOHTTP2

/// One HTTP/2 connection: knows its streams, and carries out what ``HTTP2Life`` says.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private static let ping = HTTP2PingData(withInteger: 0)
    private static let lastPing = HTTP2PingData(withInteger: 1)

    let worker: HTTPWorker
    /// Whether there are more connections than may be; every request is told so.
    private(set) var isOverLimit = false
    /// Of the client. NIO's channel of a stream cannot say it.
    private(set) var address = ""
    /// Of the client. Asked for with the first request: before the handshake there is none.
    private(set) lazy var certificate: ClientCertificate? = context.flatMap { worker.certificate(of: $0.channel) }
    private var life: HTTP2Life?
    private var streams: [ObjectIdentifier: HTTP2Stream] = [:]
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var nextLook = NIODeadline.distantFuture

    init(_ worker: HTTPWorker) {
        self.worker = worker
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { open(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        open(context)
        context.fireChannelActive()
    }

    private func open(_ context: ChannelHandlerContext) {
        guard life == nil else { return }
        self.context = context
        address = context.remoteAddress?.ipAddress ?? ""
        isOverLimit = worker.admit(context.channel)
        let life = HTTP2Life(worker.limits, at: .now())
        self.life = life
        look(by: life.due)
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.connections.remove(context.channel)
        timer?.cancel()
        self.context = nil
        life = nil
        // NIO keeps the streams of a read until it hears of the read's end, and of one that the close cuts off it hears
        // nothing: it would keep them, and with them the connection, for ever.
        context.pipeline.syncOperations.fireChannelReadComplete()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case Connections.Request.finish? = event as? Connections.Request {
            carryOut(life?.leave(at: .now()))
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Frames that are no stream's.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        noteRead()
        if case .ping(Self.lastPing, ack: true) = Self.unwrapInboundIn(data).payload {
            carryOut(life?.acknowledged(at: .now()))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // A client that sends requests and reads no answers is not read from either.
        context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Those of one stream are told to the client by RST_STREAM, and the others go on.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream { return }
        if error is any NIOHTTP2Error {
            // Counted and logged as what was answered; the client has been told by GOAWAY.
            let words = (error as? NIOHTTP2Errors.BadClientMagic)?.words ?? String("\(error)".prefix(200))
            _ = worker.response(to: .malformed(words), head: nil, from: address)
        } else if life?.hasBegun == false {
            worker.listener.tls?.noteFailure(error, from: address)
        }
        // Not now: NIO is in the middle of what it has read. Closed before the end of that, it keeps the streams that
        // it has yet to tell of it, and with them the connection, for ever.
        let channel = context.channel
        context.eventLoop.execute { channel.close(promise: nil) }
    }

    // MARK: Streams

    func add(_ stream: HTTP2Stream) {
        streams[ObjectIdentifier(stream)] = stream
        life?.streamBegan()
    }

    func remove(_ stream: HTTP2Stream) {
        guard streams.removeValue(forKey: ObjectIdentifier(stream)) != nil else { return }
        carryOut(life?.streamEnded(at: .now()))
        if let due = life?.due { look(by: due) }
    }

    /// Something of a stream came, too.
    func noteRead() {
        let isFirst = life?.hasBegun == false
        life?.read(at: .now())
        if isFirst, let due = life?.due { look(by: due) }
    }

    /// Whether there are more streams than may be. NIO sees to it only once the client has acknowledged the setting.
    var isCrowded: Bool { streams.count > worker.limits.http2.maxConcurrentStreams }

    /// After the answer to this request no other is wanted.
    func leave() {
        carryOut(life?.leave(at: .now()))
    }

    // MARK: Time

    /// Looks at the deadlines of the connection and its streams no later than then. A connection has one timer, so a
    /// request costs none.
    func look(by deadline: NIODeadline) {
        guard let context, deadline < nextLook else { return }
        timer?.cancel()
        nextLook = deadline
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.timePassed() }
    }

    private func timePassed() {
        nextLook = .distantFuture
        let now = NIODeadline.now()
        let isSilent = life?.hasBegun == false
        while let action = life?.look(at: now) {
            if isSilent, action == .cut { worker.cut(address, HTTPLimits.silence) }
            carryOut(action)
        }
        for stream in Array(streams.values) where stream.deadline <= now { stream.timeOut() }
        let first = streams.values.lazy.map(\.deadline).min() ?? .distantFuture
        if let life { look(by: min(first, life.due)) }
    }

    private func carryOut(_ action: HTTP2Life.Action?) {
        guard let action, let context else { return }
        switch action {
        case .ping: write(.ping(Self.ping, ack: false), context)
        case .goAway:
            // RFC 9113 6.8: "an initial GOAWAY frame with the last stream identifier set to 2^31-1 and a NO_ERROR code"
            // tells the client to begin no more, and "a PING frame" tells when it knows.
            write(.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil), context)
            write(.ping(Self.lastPing, ack: false), context)
        case .closeOutput:
            // Not now: the frame that ended the last stream is still on its way through the pipeline.
            let channel = context.channel
            context.eventLoop.execute { channel.close(mode: .output, promise: nil) }
        case .cut: context.close(promise: nil)
        }
        if let due = life?.due { look(by: due) }
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }
}

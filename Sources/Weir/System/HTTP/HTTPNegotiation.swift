import NIOCore
import NIOTLS

/// A TLS connection of which is not known yet whether it speaks HTTP/1.1 or HTTP/2.
final class HTTPNegotiation: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let worker: HTTPWorker
    private var timer: Scheduled<Void>?
    private var isOver = false

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
        guard timer == nil else { return }
        _ = worker.admit(context.channel)
        guard context.channel.isActive else { return }
        let bound = NIOLoopBound((worker, context.channel), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(worker.limits.readHeaderTimeout)) {
            let (worker, channel) = bound.value
            worker.cut(channel.remoteAddress?.ipAddress ?? "", "its handshake was slower than read_header_timeout")
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        worker.connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            speak(negotiated == "h2" ? worker.addHTTP2 : worker.addHTTP1, context)
        } else if case .finish? = event as? Connections.Request {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
        if isOver { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
    }

    private func speak(_ addHandlers: (any Channel) throws -> Void, _ context: ChannelHandlerContext) {
        do {
            try addHandlers(context.channel)
            isOver = true
        } catch {
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        worker.listener.tls?.noteFailure(error, from: context.remoteAddress?.ipAddress ?? "")
        context.close(promise: nil)
    }
}

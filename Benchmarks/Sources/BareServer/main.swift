import CDeflate
import NIOCore
import NIOHTTP1
import NIOPosix

/// The least that a server of OTLP/HTTP on SwiftNIO does: read a body, inflate it, decode it with Weir's decoders, answer.
/// No limits, no time-outs, no pipeline, no journal. What Weir costs beyond this is what its promises cost.
final class BareHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var body = PayloadBuilder(capacity: 0)
    private var isGzip = false
    private var isJSON = false
    /// Of the connection, and used again for each of its requests: fine for the few that a benchmark opens.
    private var batch = Batch()
    private let inflater = libdeflate_alloc_decompressor()

    deinit {
        libdeflate_free_decompressor(inflater)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            isGzip = head.headers.contains(name: "content-encoding")
            isJSON = head.headers.first(name: "content-type") == "application/json"
            body = PayloadBuilder(capacity: head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0)
        case .body(let bytes): bytes.withUnsafeReadableBytes { body.append($0) }
        case .end: answer(decode() ? .ok : .badRequest, context)
        }
    }

    /// - Returns: whether the body was sound.
    private func decode() -> Bool {
        var builder = PayloadBuilder(capacity: 0)
        swap(&builder, &body)
        do {
            let payload = isGzip ? inflate(builder.finish()) : builder.finish()
            if isJSON {
                try OTLPJSONDecoder().decode(payload, into: &batch)
            } else {
                try OTLPDecoder().decode(payload, into: &batch)
            }
            return batch.spanCount > 0
        } catch {
            return false
        }
    }

    /// Trusts the length that a gzip body ends with. What does not inflate stays empty, and so no span is found in it.
    private func inflate(_ payload: Payload) -> Payload {
        let claimed = payload.count < 4 ? 0 : (payload.base + payload.count - 4).loadUnaligned(as: UInt32.self)
        var output = PayloadBuilder(capacity: Int(claimed))
        var written = 0
        libdeflate_gzip_decompress(
            inflater, payload.base, payload.count, output.unused.baseAddress, output.capacity, &written)
        output.count = written
        return output.finish()
    }

    private func answer(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        let answer = isJSON ? ByteBuffer(staticString: "{}") : ByteBuffer()
        let headers = HTTPHeaders([
            ("Content-Type", isJSON ? "application/json" : "application/x-protobuf"),
            ("Content-Length", "\(answer.readableBytes)"),
        ])
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if isJSON { context.write(Self.wrapOutboundOut(.body(.byteBuffer(answer))), promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
let channel = try ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 1024)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
            try channel.pipeline.syncOperations.addHandler(BareHandler())
        }
    }
    .bind(host: "127.0.0.1", port: 0).wait()
// Written at once, past stdio's buffer: somebody waits for the line.
let line = "\(channel.localAddress?.port ?? 0)\n"
_ = line.withCString { write(1, $0, line.utf8.count) }
try channel.closeFuture.wait()

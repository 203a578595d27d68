import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import Weir

/// Which failure becomes which status of gRPC.
@Suite struct OTLPGRPCResponderTests {
    @Test func takesARequest() async throws {
        let sample = try GRPCSample()
        let response = await sample.respond(SampleBatch.payload([(1, 1), (2, 1)]))
        #expect(response.status == .ok)
        #expect(response.contentType == "application/grpc")
        #expect(Array(buffer: response.body) == [0, 0, 0, 0, 0])
        #expect(response.trailers.map(\.name) == ["grpc-status"])
        #expect(response.trailers.first?.value == "0")
        #expect(await sample.pipeline.taken() == [2])
        sample.expect("otelcol_receiver_accepted_spans", [:], 2)
        sample.expect("otelcol_receiver_requests", ["grpc_status": "0"], 1)
    }

    @Test func inflatesWhatIsMarkedAsCompressedOnly() async throws {
        let sample = try GRPCSample()
        let plain = SampleBatch.payload([(1, 1)])
        let packed = try CompressedSample.encode(Array(plain.bytes), .gzip).withUnsafeBytes { Payload.copying($0) }
        let gzip = ["grpc-encoding": "gzip"]
        #expect(await sample.respond(packed, flag: 1, gzip).grpcStatus == 0)
        #expect(await sample.respond(SampleBatch.payload([(2, 1)]), flag: 0, gzip).grpcStatus == 0)
        #expect(await sample.respond(packed, flag: 1).grpcStatus == 13, "nothing says how it is compressed")
        #expect(await sample.respond(plain, flag: 1, gzip).grpcStatus == 3, "it is no gzip")
        #expect(await sample.pipeline.taken() == [1, 1])
    }

    @Test func refusesBombs() async throws {
        let sample = try GRPCSample("max_recv_msg_size_mib: 1")
        let bomb = try CompressedSample.encode([UInt8](repeating: 0, count: 2 << 20), .gzip)
        let response = await sample.respond(
            bomb.withUnsafeBytes { .copying($0) }, flag: 1, ["grpc-encoding": "gzip"])
        #expect(response.grpcStatus == 8)
        #expect(
            response.field("grpc-message") == "the message has more than max_recv_msg_size_mib, 1048576 bytes")
        #expect(!response.wantsRetry, "a client takes it for final")
    }

    @Test func refusesByTheHeadWhatNoBodyCanChange() throws {
        let sample = try GRPCSample()
        for service in ["logs.v1.LogsService", "metrics.v1.MetricsService"] {
            let response = sample.refusal(uri: "/opentelemetry.proto.collector.\(service)/Export")
            #expect(response?.grpcStatus == 12)
            #expect(response?.status == .ok)
        }
        #expect(sample.refusal(uri: "/opentelemetry.proto.collector.trace.v1.TraceService/Other")?.grpcStatus == 12)
        #expect(sample.refusal(uri: "/v1/traces")?.grpcStatus == 12)
        let get = sample.refusal(method: .GET)
        #expect(get?.status == .methodNotAllowed)
        let json = sample.refusal(["content-type": "application/json"])
        #expect(json?.status == .unsupportedMediaType)
        let snappy = sample.refusal(["grpc-encoding": "snappy"])
        #expect(snappy?.grpcStatus == 12)
        #expect(snappy?.field("grpc-accept-encoding") == "identity,gzip,deflate,zstd")
        #expect(sample.refusal(["grpc-timeout": "soon"])?.grpcStatus == 13)
        #expect(sample.refusal(["grpc-timeout": "10S", "grpc-encoding": "gzip"]) == nil)
        sample.expect("otelcol_receiver_requests", ["grpc_status": "12"], 7)
    }

    @Test func doesNotTakeWhatNobodyWaitsFor() async throws {
        let sample = try GRPCSample()
        let late = NIODeadline.now() - .seconds(11)
        let body = SampleBatch.payload([(1, 1)])
        #expect(await sample.respond(body, ["grpc-timeout": "10S"], startedAt: late).grpcStatus == 4)
        #expect(await sample.respond(body, ["grpc-timeout": "1M"], startedAt: late).grpcStatus == 0)
    }

    @Test func saysWhatCannotBeDecoded() async throws {
        let sample = try GRPCSample()
        let broken: Payload = [UInt8](repeating: 0xFF, count: 40).withUnsafeBytes { .copying($0) }
        #expect(await sample.respond(broken).grpcStatus == 3)
        #expect(await sample.send(.empty).grpcStatus == 13)
        #expect(await sample.pipeline.taken() == [])
        sample.expect("otelcol_receiver_requests", ["grpc_status": "3"], 1)
        sample.expect("otelcol_receiver_requests", ["grpc_status": "13"], 1)
    }

    /// "UNAVAILABLE … and MAY supply RetryInfo", "RESOURCE_EXHAUSTED … only if the server signals that recovery is
    /// possible" with it.
    @Test func saysWhenToComeAgain() async throws {
        for (refusal, code) in [
            (.overloaded("full", retryAfter: .seconds(9)), 14), (.overQuota("enough", retryAfter: .seconds(9)), 8),
            (.stopping, 14),
        ] as [(Refusal, Int)] {
            let sample = try GRPCSample(processors: [BluntProcessor(refusing: refusal)])
            let response = await sample.respond(SampleBatch.payload([(1, 1)]))
            #expect(response.grpcStatus == code)
            #expect(response.wantsRetry)
            #expect(response.body.readableBytes == 0 && response.trailers.isEmpty, "Trailers-Only")
        }
        let sample = try GRPCSample(processors: [BluntProcessor(refusing: .tooLarge("too much"))])
        let response = await sample.respond(SampleBatch.payload([(1, 1)]))
        #expect(response.grpcStatus == 8)
        #expect(!response.wantsRetry)
    }

    @Test func putsTheServersFaultsIntoWords() throws {
        let sample = try GRPCSample()
        let faults: [(HTTPFault, code: Int, retry: Bool)] = [
            (.malformed("x"), 3, false), (.unauthenticated("x"), 16, false), (.forbidden("x"), 7, false),
            (.tooManyFailures(retryAfter: .seconds(9)), 8, true), (.bodyTooLarge(limit: 5), 8, false),
            (.bodyTimeout, 4, false), (.tooManyConnections, 14, true), (.tooManyBytesInFlight, 14, true),
            (.stopping, 14, true),
        ]
        for (fault, code, retry) in faults {
            let response = sample.responder.response(to: fault, head: nil)
            #expect(response.status == .ok)
            #expect(response.grpcStatus == code)
            #expect(response.wantsRetry == retry, "\(fault)")
        }
    }

    @Test func readsItsKeys() throws {
        let both = try #require(
            read(
                OTLPReceiver.Configuration.self,
                """
                protocols:
                  http:
                  grpc:
                    max_recv_msg_size_mib: 4
                    max_concurrent_streams: 7
                    keepalive:
                      server_parameters: { max_connection_idle: 11s, max_connection_age: 12s, time: 30s, timeout: 5s }
                """))
        let limits = try #require(both.grpc).limits
        #expect(both.http != nil)
        #expect(limits.maxMessageBytes == 4 << 20)
        #expect(limits.http.maxBodyBytes == 4 << 20 + 5)
        #expect(limits.http.idleTimeout == .seconds(11))
        #expect(limits.http.http2.maxConcurrentStreams == 7)
        #expect(limits.http.http2.maxAge == .seconds(12))
        let alone = try #require(read(OTLPReceiver.Configuration.self, "protocols: { grpc: {} }"))
        #expect(alone.http == nil)
        #expect(alone.grpc?.listener.endpoint == Endpoint(host: "127.0.0.1", port: 4317))
        let neither = try #require(read(OTLPReceiver.Configuration.self, "{}"))
        #expect(neither.http != nil && neither.grpc == nil)
    }
}

extension HTTPResponse {
    fileprivate func field(_ name: String) -> String? {
        (headers + trailers).first { $0.name == name }?.value
    }

    fileprivate var grpcStatus: Int? { field("grpc-status").flatMap { Int($0) } }

    /// Whether the details name google.rpc.RetryInfo.
    fileprivate var wantsRetry: Bool {
        // "RetryInfo" in base64, in each of its three places within a group.
        let details = field("grpc-status-details-bin") ?? ""
        return ["UmV0cnlJbmZv", "JldHJ5SW5mb", "SZXRyeUluZm"].contains { details.contains($0) }
    }
}

private final class GRPCSample {
    let responder: OTLPGRPCResponder
    let pipeline: PipelineSample
    private let metrics = MetricRegistry()

    init(_ keys: String = "", processors: [any Processor] = []) throws {
        let configuration = try #require(
            read(OTLPReceiver.Configuration.self, "protocols: { grpc: { \(keys) } }")?.grpc)
        pipeline = try PipelineSample(maxBytes: 16 << 20, processors: processors)
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let context = Context(id: ComponentID(type: "otlp"), logger: logger, metrics: metrics)
        let telemetry = ReceiverTelemetry(
            context, transport: "grpc", statusLabel: "grpc_status", statuses: OTLPGRPCResponder.statuses)
        responder = try OTLPGRPCResponder(
            configuration.limits, try Intake(into: Routes([pipeline.pipeline]), configuration.limits), telemetry)
    }

    private static func head(
        method: HTTPMethod = .POST, uri: String = OTLPGRPCResponder.exportPath, _ headers: [String: String]
    ) -> HTTPRequestHead {
        let headers = ["content-type": "application/grpc"].merging(headers) { $1 }
        return HTTPRequestHead(
            version: .http2, method: method, uri: uri, headers: HTTPHeaders(headers.map { ($0.key, $0.value) }))
    }

    func respond(
        _ message: Payload, flag: UInt8 = 0, _ headers: [String: String] = [:], startedAt: NIODeadline = .now()
    ) async -> HTTPResponse {
        var framed = GRPCFraming.write(ByteBuffer(bytes: message.bytes))
        framed.setInteger(flag, at: 0)
        return await send(
            framed.withUnsafeReadableBytes { .copying($0) }, headers, startedAt: startedAt)
    }

    func send(
        _ body: Payload, _ headers: [String: String] = [:], startedAt: NIODeadline = .now()
    ) async -> HTTPResponse {
        await responder.respond(to: HTTPRequest(head: Self.head(headers), body: body, startedAt: startedAt))
    }

    func refusal(
        method: HTTPMethod = .POST, uri: String = OTLPGRPCResponder.exportPath, _ headers: [String: String] = [:]
    ) -> HTTPResponse? {
        responder.refusal(of: Self.head(method: method, uri: uri, headers))
    }

    func expect(
        _ metric: String, _ labels: [String: String], _ wanted: Int, at location: SourceLocation = #_sourceLocation
    ) {
        let labels = labels.merging(["receiver": "otlp", "transport": "grpc"]) { $1 }
        #expect(metrics.counter(metric, help: "", labels: labels).value == wanted, sourceLocation: location)
    }
}

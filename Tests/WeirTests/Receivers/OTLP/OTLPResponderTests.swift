import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import Weir

/// Which failure becomes which answer and which count.
@Suite struct OTLPResponderTests {
    @Test func takesARequest() async throws {
        let sample = try ResponderSample()
        let response = await sample.respond(SampleBatch.payload([(1, 1), (2, 1)]))
        #expect(response.status == .ok)
        #expect(response.body.readableBytes == 0)
        #expect(await sample.pipeline.taken() == [2])
        sample.expect("otelcol_receiver_accepted_spans", [:], 2)
        sample.expect("otelcol_receiver_requests", ["http_status": "200"], 1)
        sample.expect("otelcol_receiver_refused_spans", [:], 0)
    }

    @Test func theKeyDecidesWhoseSpansTheseAre() async throws {
        let sample = try ResponderSample()
        let shop = Identity(name: "k", tenant: "shop", scopes: [.ingest])
        let body = SampleBatch.payload([(1, 1)])
        for identity in [shop, nil] {
            #expect(await sample.respond(body, identity: identity).status == .ok)
        }
        #expect(await sample.pipeline.reader.read().map(\.tenant) == ["shop", "default"])
        #expect(sample.responder.scope(of: ResponderSample.head([:])) == .ingest)
    }

    @Test func countsWhatItRejectsByReason() async throws {
        let sample = try ResponderSample()
        let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00","spanId":"eee19b7ec3c1b174"}]}]}]}"#
        let response = await sample.respond(payload(json), ["Content-Type": "application/json"])
        #expect(response.status == .ok)
        #expect(String(buffer: response.body).contains(#""rejectedSpans":"1""#))
        sample.expect("weir_receiver_rejected_spans", ["reason": "trace_id"], 1)
        sample.expect("otelcol_receiver_accepted_spans", [:], 0)
    }

    @Test func refusesByTheHeadWhatNoBodyCanChange() throws {
        let sample = try ResponderSample()
        sample.checkRefusal(uri: "/v1/logs", .notFound, "found path \"/v1/logs\", wanted /v1/traces: Weir takes traces")
        let method = sample.checkRefusal(method: .GET, .methodNotAllowed, "found method GET, wanted POST")
        #expect(method?.headers.contains { $0.name == "Allow" && $0.value == "POST" } == true)
        let types = "wanted application/x-protobuf or application/json"
        sample.checkRefusal(
            headers: ["Content-Type": "text/plain"], .unsupportedMediaType,
            "found content type \"text/plain\", \(types)")
        sample.checkRefusal(headers: [:], .unsupportedMediaType, "found content type none, \(types)")
        let brotli = sample.refusal(["Content-Type": "application/json", "Content-Encoding": "br"])
        #expect(brotli?.status == .unsupportedMediaType)
        #expect(sample.refusal(["Content-Type": "application/json", "Content-Encoding": "gzip"]) == nil)
        #expect(sample.refusal(uri: "/v1/traces?a=b", ["Content-Type": "application/json"]) == nil)
        sample.expect("otelcol_receiver_requests", ["http_status": "415"], 3)
        sample.expect("otelcol_receiver_requests", ["http_status": "404"], 1)
        sample.expect("otelcol_receiver_requests", ["http_status": "405"], 1)
    }

    @Test func saysWhatCannotBeDecoded() async throws {
        let sample = try ResponderSample()
        let broken = await sample.respond(payload("{"), ["Content-Type": "application/json"])
        #expect(broken.status == .badRequest)
        #expect(String(buffer: broken.body).contains(#""code":3"#))
        let notGzip = await sample.respond(
            payload("{}"), ["Content-Type": "application/json", "Content-Encoding": "gzip"])
        #expect(notGzip.status == .badRequest)
        sample.expect("otelcol_receiver_requests", ["http_status": "400"], 2)
    }

    @Test func refusesWhatDecompressesToMoreThanTheLimit() async throws {
        let sample = try ResponderSample("max_request_body_size: 1KiB")
        let response = await sample.respond(
            try CompressedSample.encode([UInt8](repeating: 0x20, count: 4_096), .gzip).withUnsafeBytes { .copying($0) },
            ["Content-Type": "application/json", "Content-Encoding": "gzip"])
        #expect(response.status == .payloadTooLarge)
        #expect(
            String(buffer: response.body).contains("the body has more than max_request_body_size, 1024 bytes"))
        sample.expect("otelcol_receiver_requests", ["http_status": "413"], 1)
    }

    @Test func whatIsDecompressedHoldsItsBytesUntilItIsAnswered() async throws {
        let sample = try ResponderSample()
        let body = try CompressedSample.encode(Array(#"{"resourceSpans":[]}"#.utf8), .gzip)
        let payload = body.withUnsafeBytes { Payload.copying($0) }
        let gzip = ["Content-Type": "application/json", "Content-Encoding": "gzip"]
        let large = try CompressedSample.encode([UInt8](repeating: 0x20, count: 4_096) + Array("{}".utf8), .gzip)
            .withUnsafeBytes { Payload.copying($0) }
        let budget = ByteBudget(limit: 4_000, portion: 4_000)
        #expect(await sample.respond(payload, gzip, budget: budget).status == .ok)
        let response = await sample.respond(large, gzip, budget: budget)
        #expect(response.status == .serviceUnavailable)
        #expect(String(buffer: response.body).contains("requests hold max_in_flight_bytes already"))
        #expect(budget.inUse == 0)
        budget.setLimit(5_000, portion: 4_000)
        #expect(await sample.respond(large, gzip, budget: budget).status == .ok)
        #expect(budget.inUse == 0)
    }

    @Test func whatCannotBeDecompressedCountsForTheQuotasToo() async throws {
        let gzip = ["Content-Type": "application/json", "Content-Encoding": "gzip"]
        let bomb = try CompressedSample.encode([UInt8](repeating: 0x20, count: 4_096), .gzip)
            .withUnsafeBytes { Payload.copying($0) }
        let noise = payload(String(repeating: "x", count: 1_000))
        for (body, status) in [(noise, HTTPResponseStatus.badRequest), (bomb, .payloadTooLarge)] {
            let sample = try ResponderSample("max_request_body_size: 1KiB", quotas: "{ bytes_per_second: 1B }")
            #expect(await sample.respond(body, gzip).status == status)
            #expect(await sample.respond(body, gzip).status == .tooManyRequests)
        }
    }

    @Test func refusesWhatDecodesToMoreThanTheLimit() async throws {
        let sample = try ResponderSample("max_decoded_size: 1MiB")
        let spans = (1...20_000 as ClosedRange<UInt64>).map { (id: $0, start: UInt64(1)) }
        let response = await sample.respond(SampleBatch.payload(spans))
        #expect(response.status == .payloadTooLarge)
        #expect(await sample.pipeline.taken() == [])
    }

    @Test func answersARefusalWith503AndRetryAfter() async throws {
        let overloaded = Refusal.overloaded("no key", retryAfter: .milliseconds(8_500))
        for (refusal, pause, reason) in [
            (overloaded, "9", "no key"), (.stopping, "7", "the collector is stopping"),
        ] as [(Refusal, String, String)] {
            let sample = try ResponderSample("retry_after: 7s", processors: [BluntProcessor(refusing: refusal)])
            let response = await sample.respond(SampleBatch.payload([(1, 1)]))
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers.contains { $0 == ("Retry-After", pause) })
            #expect(
                Array(buffer: response.body)
                    == Message {
                        $0.number(0x08, 14)
                        $0.text(0x12, reason)
                    }.bytes)
            sample.expect("otelcol_receiver_requests", ["http_status": "503"], 1)
        }
        let sample = try ResponderSample(processors: [BluntProcessor(refusing: .tooLarge("too much"))])
        #expect(await sample.respond(SampleBatch.payload([(1, 1)])).status == .payloadTooLarge)
    }

    @Test func countsTheSpansThatAFullJournalRefuses() async throws {
        let sample = try ResponderSample(journalBytes: 64 << 10)
        // Nobody reads from it, so it fills; the request that finds it full is the first of the refused.
        var accepted = 0
        while await sample.respond(SampleBatch.payload([(1, 1)])).status == .ok { accepted += 1 }
        let response = await sample.respond(SampleBatch.payload([(1, 1), (2, 1)]))
        #expect(response.status == .serviceUnavailable)
        #expect(response.headers.contains { $0 == ("Retry-After", "30") })
        sample.expect("otelcol_receiver_refused_spans", [:], 3)
        sample.expect("otelcol_receiver_accepted_spans", [:], accepted)
    }

    @Test func putsTheServersFaultsIntoWords() throws {
        let sample = try ResponderSample("retry_after: 3s")
        let faults: [(HTTPFault, HTTPResponseStatus, code: Int, retryAfter: String?)] = [
            (.malformed("x"), .badRequest, 3, nil),
            (.unauthenticated("x"), .unauthorized, 16, nil),
            (.forbidden("x"), .forbidden, 7, nil),
            (.tooManyFailures(retryAfter: .seconds(9)), .tooManyRequests, 8, "9"),
            (.headersTooLarge, .requestHeaderFieldsTooLarge, 3, nil),
            (.bodyTooLarge(limit: 5), .payloadTooLarge, 3, nil),
            (.headerTimeout, .requestTimeout, 4, nil),
            (.bodyTimeout, .requestTimeout, 4, nil),
            (.tooManyConnections, .serviceUnavailable, 14, "3"),
            (.tooManyBytesInFlight, .serviceUnavailable, 14, "3"),
            (.stopping, .serviceUnavailable, 14, "3"),
        ]
        for (fault, status, code, retryAfter) in faults {
            let response = sample.responder.response(to: fault, head: nil)
            #expect(response.status == status)
            #expect(response.contentType == "application/json", "nothing is known of the client")
            #expect(String(buffer: response.body).hasPrefix("{\"code\":\(code),\"message\":\""))
            #expect(response.headers.first { $0.name == "Retry-After" }?.value == retryAfter)
            let head = ResponderSample.head(["Content-Type": "application/x-protobuf"])
            #expect(sample.responder.response(to: fault, head: head).contentType == "application/x-protobuf")
        }
    }
}

private func payload(_ text: String) -> Payload {
    Array(text.utf8).withUnsafeBytes { .copying($0) }
}

/// A responder, and what it counts and hands on.
private final class ResponderSample {
    let responder: OTLPResponder
    let pipeline: PipelineSample
    private let metrics = MetricRegistry()

    /// - Parameter keys: of `protocols.http`.
    init(
        _ keys: String = "", quotas: String = "{}", processors: [any Processor] = [], journalBytes: Int = 16 << 20
    ) throws {
        let receiver = try #require(
            read(OTLPReceiver.Configuration.self, "{ protocols: { http: { \(keys) } }, quotas: \(quotas) }"))
        let configuration = try #require(receiver.http)
        pipeline = try PipelineSample(maxBytes: journalBytes, processors: processors)
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let context = Context(id: ComponentID(type: "otlp"), logger: logger, metrics: metrics)
        let intake = try Intake(
            into: Routes([pipeline.pipeline]), configuration.limits, receiver.quotas.map { Quotas($0, context) })
        responder = try OTLPResponder(configuration, intake, ReceiverTelemetry(context, transport: "http"))
    }

    static func head(
        method: HTTPMethod = .POST, uri: String = "/v1/traces", _ headers: [String: String]
    ) -> HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1, method: method, uri: uri, headers: HTTPHeaders(headers.map { ($0.key, $0.value) }))
    }

    func respond(
        _ body: Payload, _ headers: [String: String] = ["Content-Type": "application/x-protobuf"],
        identity: Identity? = nil, budget: ByteBudget? = nil
    ) async -> HTTPResponse {
        await responder.respond(
            to: HTTPRequest(
                head: Self.head(headers), body: body, startedAt: .now(), identity: identity, budget: budget))
    }

    func refusal(
        method: HTTPMethod = .POST, uri: String = "/v1/traces", _ headers: [String: String]
    ) -> HTTPResponse? {
        responder.refusal(of: Self.head(method: method, uri: uri, headers))
    }

    @discardableResult
    func checkRefusal(
        method: HTTPMethod = .POST, uri: String = "/v1/traces",
        headers: [String: String] = ["Content-Type": "application/json"], _ status: HTTPResponseStatus,
        _ message: String, at location: SourceLocation = #_sourceLocation
    ) -> HTTPResponse? {
        let response = refusal(method: method, uri: uri, headers)
        #expect(response?.status == status, sourceLocation: location)
        let body = response.map { String(buffer: $0.body) } ?? ""
        #expect(body.contains("\"message\":\(message.quotedAsJSON)"), sourceLocation: location)
        return response
    }

    func expect(
        _ metric: String, _ labels: [String: String], _ wanted: Int, at location: SourceLocation = #_sourceLocation
    ) {
        let labels = labels.merging(["receiver": "otlp", "transport": "http"]) { $1 }
        let counter = metrics.counter(metric, help: "", labels: labels)
        #expect(counter.value == wanted, "\(metric) \(labels)", sourceLocation: location)
    }
}

import NIOCore
import NIOHTTP1

/// Answers OTLP/HTTP requests on one event loop.
final class OTLPResponder: HTTPResponder {
    private let configuration: OTLPHTTPConfiguration
    private let telemetry: ReceiverTelemetry
    private var intake: Intake
    private var inflater: Inflater

    init(_ configuration: OTLPHTTPConfiguration, _ intake: consuming Intake, _ telemetry: ReceiverTelemetry) throws {
        self.configuration = configuration
        self.telemetry = telemetry
        self.intake = intake
        inflater = try Inflater()
    }

    func scope(of head: HTTPRequestHead) -> Scope? { .ingest }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        let encoding = OTLPEncoding(of: head)
        guard head.uri == configuration.tracesPath || head.path == configuration.tracesPath else {
            return refuse(.notFound, .unimplemented, notFound(head), encoding)
        }
        guard head.method == .POST else {
            var response = refuse(
                .methodNotAllowed, .unimplemented, "found method \(head.method), wanted POST", encoding)
            response.headers.append(("Allow", "POST"))
            return response
        }
        guard encoding != nil else {
            let found = head.headers.first(name: "content-type").map { "\"\($0.prefix(64))\"" } ?? "none"
            return refuse(
                .unsupportedMediaType, .invalidArgument,
                "found content type \(found), wanted application/x-protobuf or application/json", encoding)
        }
        do throws(UnsupportedContentEncoding) {
            _ = try head.contentEncoding
            return nil
        } catch {
            return refuse(.unsupportedMediaType, .invalidArgument, "\(error)", encoding)
        }
    }

    private func notFound(_ head: HTTPRequestHead) -> String {
        "found path \"\(head.path.prefix(128))\", wanted \(configuration.tracesPath): Weir takes traces"
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let encoding = OTLPEncoding(of: request.head) ?? .json
        do throws(Intake.Failure) {
            let accepted = try read(request, encoding)
            let answer: (rejected: Rejections, isRepeat: Bool)
            do throws(Refusal) {
                answer = try await accepted.commit()
            } catch {
                telemetry.refused.add(accepted.spanCount)
                throw .refused(error)
            }
            if answer.isRepeat {
                telemetry.duplicates.add()
            } else {
                telemetry.accepted.add(accepted.spanCount)
                telemetry.count(accepted.rejected)
            }
            telemetry.answered(200, startedAt: request.startedAt)
            return encoding.success(answer.rejected)
        } catch {
            return response(to: error, encoding)
        }
    }

    /// Everything up to the journal, without giving up the event loop.
    private func read(_ request: HTTPRequest, _ encoding: OTLPEncoding) throws(Intake.Failure) -> Intake.Accepted {
        let (tenant, now) = (request.identity?.tenant, Timestamp.now())
        try intake.admit(tenant, at: now)
        var payload = request.body
        let coding = (try? request.head.contentEncoding) ?? .identity
        if coding != .identity {
            do throws(InflateError) {
                payload = try inflater.inflate(
                    payload.bytes, encoding: coding, limit: configuration.limits.maxBodyBytes)
            } catch {
                throw .unreadable(error)
            }
        }
        return try intake.process(payload, encoding, tenant: tenant, receivedAt: now)
    }

    private func response(to failure: Intake.Failure, _ encoding: OTLPEncoding) -> HTTPResponse {
        switch failure {
        case .undecodable(.malformed(let what, let offset)):
            refuse(.badRequest, .invalidArgument, "\(what), at byte \(offset)", encoding)
        case .refused(.tooLarge(let reason)): refuse(.payloadTooLarge, .invalidArgument, reason, encoding)
        case .undecodable(.tooLarge):
            refuse(
                .payloadTooLarge, .invalidArgument,
                "the request decodes to more than max_decoded_size, \(configuration.maxDecodedBytes) bytes", encoding)
        case .unreadable(.corrupt(let what)): refuse(.badRequest, .invalidArgument, what, encoding)
        case .unreadable(.tooLarge(let limit)): response(to: .bodyTooLarge(limit: limit), encoding)
        case .unreadable(.outOfMemory):
            refuse(.serviceUnavailable, .unavailable, "there is no memory to decompress the body", encoding)
                .retry(after: configuration.retryAfter)
        case .refused(.overloaded(let reason, let pause)):
            refuse(.serviceUnavailable, .unavailable, reason, encoding).retry(
                after: max(pause, configuration.retryAfter))
        case .refused(.overQuota(let reason, let pause)):
            refuse(.tooManyRequests, .resourceExhausted, reason, encoding).retry(
                after: max(pause, configuration.retryAfter))
        case .refused(.stopping): response(to: .stopping, encoding)
        case .unrouted(let tenant):
            refuse(.forbidden, .permissionDenied, "no pipeline takes spans of the tenant \(tenant)", encoding)
        }
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        response(to: fault, head.flatMap(OTLPEncoding.init(of:)))
    }

    private func response(to fault: HTTPFault, _ encoding: OTLPEncoding?) -> HTTPResponse {
        switch fault {
        case .malformed(let what):
            refuse(.badRequest, .invalidArgument, "the request is not HTTP/1.1: \(what)", encoding)
        case .unauthenticated(let reason): deny(.unauthorized, .unauthenticated, reason, encoding)
        case .forbidden(let reason): deny(.forbidden, .permissionDenied, reason, encoding)
        case .tooManyFailures(let pause):
            deny(.tooManyRequests, .resourceExhausted, "found too many wrong keys, wanted a pause", encoding)
                .retry(after: pause)
        case .headersTooLarge:
            refuse(
                .requestHeaderFieldsTooLarge, .invalidArgument,
                "the header fields have more than \(HTTPLimits.maxHeaderBytes) bytes", encoding)
        case .bodyTooLarge(let limit):
            refuse(
                .payloadTooLarge, .invalidArgument, "the body has more than max_request_body_size, \(limit) bytes",
                encoding)
        case .headerTimeout:
            refuse(.requestTimeout, .deadlineExceeded, "the head did not come within read_header_timeout", encoding)
        case .bodyTimeout:
            refuse(.requestTimeout, .deadlineExceeded, "the body did not come within read_timeout", encoding)
        case .tooManyConnections: busy("there are more than max_connections connections", encoding)
        case .tooManyBytesInFlight: busy("requests hold max_in_flight_bytes already", encoding)
        case .stopping: busy("the collector is stopping", encoding)
        }
    }

    private func busy(_ reason: String, _ encoding: OTLPEncoding?) -> HTTPResponse {
        refuse(.serviceUnavailable, .unavailable, reason, encoding).retry(after: configuration.retryAfter)
    }

    private func refuse(
        _ status: HTTPResponseStatus, _ code: RPCStatus.Code, _ message: String, _ encoding: OTLPEncoding?
    ) -> HTTPResponse {
        telemetry.refused(Int(status.code), message)
        return deny(status, code, message, encoding)
    }

    /// Who has asked the client has logged it.
    private func deny(
        _ status: HTTPResponseStatus, _ code: RPCStatus.Code, _ message: String, _ encoding: OTLPEncoding?
    ) -> HTTPResponse {
        telemetry.answered(Int(status.code))
        return (encoding ?? .json).failure(status, RPCStatus(code: code, message: message))
    }
}

extension HTTPRequestHead {
    /// Several header lines mean several codings, as one line with commas does.
    fileprivate var contentEncoding: ContentEncoding {
        get throws(UnsupportedContentEncoding) {
            guard headers.contains(name: "content-encoding") else { return .identity }
            return try ContentEncoding(header: headers["content-encoding"].joined(separator: ","))
        }
    }
}

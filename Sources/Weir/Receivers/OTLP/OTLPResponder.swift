import NIOHTTP1

/// Answers OTLP/HTTP requests on one event loop.
final class OTLPResponder: HTTPResponder {
    private let configuration: OTLPHTTPConfiguration
    private let telemetry: ReceiverTelemetry
    private let requests: OTLPRequests

    init(_ configuration: OTLPHTTPConfiguration, _ intake: consuming Intake, _ telemetry: ReceiverTelemetry) throws {
        self.configuration = configuration
        self.telemetry = telemetry
        requests = try OTLPRequests(configuration.limits, intake, telemetry)
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
            let rejected = try await requests.take(
                request.body, (try? request.head.contentEncoding) ?? .identity, encoding, from: request.identity,
                request.budget)
            telemetry.answered(200, startedAt: request.startedAt)
            return encoding.success(rejected)
        } catch {
            return response(to: OTLPFailure(error, configuration.limits), encoding)
        }
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        response(to: OTLPFailure(fault, configuration.limits), head.flatMap(OTLPEncoding.init(of:)))
    }

    private func response(to failure: OTLPFailure, _ encoding: OTLPEncoding?) -> HTTPResponse {
        telemetry.answered(Int(failure.status.code))
        let status = RPCStatus(code: failure.code, message: failure.message)
        var response = (encoding ?? .json).failure(failure.status, status)
        if !failure.isLogged { response = response.refusing(failure.message) }
        return failure.retryDelay.map(response.retry(after:)) ?? response
    }

    private func refuse(
        _ status: HTTPResponseStatus, _ code: RPCStatus.Code, _ message: String, _ encoding: OTLPEncoding?
    ) -> HTTPResponse {
        response(to: OTLPFailure(status, code, message), encoding)
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

import NIOCore
import NIOHTTP1

/// opentelemetry.proto.collector.trace.v1.TraceService over gRPC: its part on one event loop.
final class OTLPGRPCResponder: HTTPResponder {
    static let exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    /// The codes that it answers with.
    static let statuses = RPCStatus.Code.allCases.map(\.rawValue)

    private let limits: OTLPLimits
    private let telemetry: ReceiverTelemetry
    private let requests: OTLPRequests

    init(_ limits: OTLPLimits, _ intake: consuming Intake, _ telemetry: ReceiverTelemetry) throws {
        self.limits = limits
        self.telemetry = telemetry
        requests = try OTLPRequests(limits, intake, telemetry)
    }

    func scope(of head: HTTPRequestHead) -> Scope? { .ingest }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        guard head.method == .POST else {
            var response = response(
                to: OTLPFailure(.methodNotAllowed, .unimplemented, "found method \(head.method), wanted POST"))
            response.headers.append(("allow", "POST"))
            return response
        }
        // "If Content-Type does not begin with "application/grpc", gRPC servers SHOULD respond with HTTP status of 415
        // (Unsupported Media Type)."
        let type = head.headers.first(name: "content-type") ?? ""
        guard GRPCFraming.isContentType(type) else {
            return response(
                to: OTLPFailure(
                    .unsupportedMediaType, .unimplemented,
                    "found content type \"\(type.prefix(64))\", wanted \(GRPCFraming.contentType)"))
        }
        guard head.uri == Self.exportPath else {
            return response(
                to: OTLPFailure(
                    .ok, .unimplemented,
                    "found method \"\(head.uri.prefix(128))\", wanted \(Self.exportPath): Weir takes traces"))
        }
        guard head.grpcEncoding != nil else {
            let known = ContentEncoding.allCases.map(\.rawValue)
            let found = head.headers["grpc-encoding"].joined(separator: ",").prefix(64)
            var response = response(
                to: OTLPFailure(
                    .ok, .unimplemented,
                    "found grpc-encoding \"\(found)\", wanted one of \(known.joined(separator: ", "))"))
            // A server that does not know an encoding answers UNIMPLEMENTED and names those that it does.
            response.headers.append(("grpc-accept-encoding", known.joined(separator: ",")))
            return response
        }
        if let timeout = head.headers.first(name: "grpc-timeout"), GRPCFraming.timeout(timeout) == nil {
            return response(
                to: OTLPFailure(
                    .ok, .internal, "found grpc-timeout \"\(timeout.prefix(64))\", wanted digits and a unit"))
        }
        return nil
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        do throws(OTLPFailure) {
            let rejected = try await take(request)
            telemetry.answered(RPCStatus.Code.ok.rawValue, startedAt: request.startedAt)
            var response = HTTPResponse(
                .ok, contentType: GRPCFraming.contentType, body: GRPCFraming.write(rejected.response))
            response.trailers = RPCStatus(code: .ok, message: "").fields
            return response
        } catch {
            return response(to: error)
        }
    }

    private func take(_ request: HTTPRequest) async throws(OTLPFailure) -> Rejections {
        // Nobody waits for the answer any more.
        if let timeout = request.head.headers.first(name: "grpc-timeout").flatMap(GRPCFraming.timeout),
            request.startedAt + TimeAmount(timeout) <= .now()
        {
            throw OTLPFailure(.ok, .deadlineExceeded, "the request came later than its grpc-timeout allows")
        }
        let framed: (message: Payload, isCompressed: Bool)
        do throws(GRPCFraming.Problem) {
            framed = try GRPCFraming.read(request.body)
        } catch {
            throw OTLPFailure(.ok, .internal, "\(error)")
        }
        let coding = request.head.grpcEncoding ?? .identity
        if framed.isCompressed, coding == .identity {
            throw OTLPFailure(.ok, .internal, "found a compressed message without grpc-encoding, wanted one with it")
        }
        do throws(Intake.Failure) {
            return try await requests.take(
                framed.message, framed.isCompressed ? coding : .identity, .protobuf, from: request.identity,
                request.budget)
        } catch {
            throw OTLPFailure(error, limits)
        }
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        response(to: OTLPFailure(fault, limits))
    }

    /// "Trailers-Only is permitted for calls that produce an immediate error": one block of fields says everything.
    private func response(to failure: OTLPFailure) -> HTTPResponse {
        let code = code(of: failure)
        telemetry.answered(code.rawValue)
        let status = RPCStatus(code: code, message: failure.message, retryDelay: failure.retryDelay)
        // Only to what is no gRPC the status of HTTP says something.
        let isGRPC = failure.status != .methodNotAllowed && failure.status != .unsupportedMediaType
        var response = HTTPResponse(isGRPC ? .ok : failure.status, contentType: GRPCFraming.contentType)
        response.headers = status.fields
        if !failure.isLogged {
            response.refusal = HTTPRefusal(label: "grpc_status", status: code.rawValue, reason: failure.message)
        }
        return response
    }

    /// What the two protocols call differently. Without RetryInfo a client takes RESOURCE_EXHAUSTED for final, as it
    /// does 413.
    private func code(of failure: OTLPFailure) -> RPCStatus.Code {
        failure.status == .payloadTooLarge ? .resourceExhausted : failure.code
    }
}

extension HTTPRequestHead {
    /// Nil where it is not known.
    fileprivate var grpcEncoding: ContentEncoding? {
        let values = headers["grpc-encoding"]
        guard let value = values.first else { return .identity }
        return values.count == 1 ? try? ContentEncoding(header: value) : nil
    }
}

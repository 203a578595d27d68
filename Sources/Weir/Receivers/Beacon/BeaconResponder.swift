import NIOCore
import NIOHTTP1

/// Answers pages on one event loop.
final class BeaconResponder: HTTPResponder {
    static let path = "/v1/beacon"
    static let scriptPath = "/weir-beacon.js"

    private let configuration: BeaconConfiguration
    private let admission: BeaconAdmission
    private let screen: BeaconScreen
    private let telemetry: BeaconTelemetry
    private var intake: Intake

    init(
        _ configuration: BeaconConfiguration, _ admission: BeaconAdmission, _ intake: consuming Intake,
        _ telemetry: BeaconTelemetry
    ) {
        self.configuration = configuration
        self.admission = admission
        self.telemetry = telemetry
        self.intake = intake
        screen = BeaconScreen(
            attributes: configuration.attributes, registry: configuration.registry, outcome: configuration.violation)
    }

    func scope(of head: HTTPRequestHead) -> Scope? { head.path == Self.scriptPath ? nil : .beacon }

    /// A beacon has no header fields, so its key stands in the path.
    func credentials(of head: HTTPRequestHead) -> Credentials? {
        guard head.path.hasPrefix(Self.path + "/") else { return Credentials(of: head) }
        let key = head.path.dropFirst(Self.path.utf8.count + 1)
        return (1...Credentials.maximumLength).contains(key.utf8.count) ? Credentials(key: String(key)) : nil
    }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        if head.path == Self.scriptPath {
            return head.method == .GET || head.method == .HEAD ? nil : wrongMethod(head, "GET")
        }
        // The path may hold a key, and is shown to nobody.
        guard head.path == Self.path || head.path.hasPrefix(Self.path + "/") else {
            return refuse(.notFound, "found another path, wanted \(Self.path)/KEY")
        }
        guard head.method == .POST else { return wrongMethod(head, "POST") }
        let origin = head.origin
        guard admission.allows(origin) else {
            telemetry.foreign.add()
            telemetry.receiver.answered(403)
            return .foreign(origin)
        }
        let type = head.headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased() ?? ""
        guard ["text/plain", "application/json"].contains(type), !head.headers.contains(name: "content-encoding") else {
            return refuse(
                .unsupportedMediaType, "found another content type or coding, wanted text/plain or application/json")
        }
        return nil
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.path == Self.scriptPath { return Self.script }
        let (origin, now) = (request.head.origin, Timestamp.now())
        if let over = admission.admit(origin: origin, address: request.address, at: now) {
            telemetry.limited[over.limit]?.add()
            return refuse(.tooManyRequests, "rate_limits.\(over.limit) is reached").retry(after: over.pause)
        }
        var translation = BeaconTranslation(
            screen, receivedAt: request.arrival(by: now), sentAt: request.head.sentAt,
            tolerance: configuration.clockTolerance, origin: origin)
        let accepted: Intake.Accepted
        do throws(Intake.Failure) {
            accepted = try read(request, &translation, at: now)
        } catch {
            telemetry.count(translation.tally)
            return response(to: error)
        }
        var tally = translation.tally
        tally.reject(accepted.rejected)
        guard accepted.spanCount > 0 || accepted.rejected.count == 0 || accepted.isKnown else {
            telemetry.count(tally)
            telemetry.receiver.count(accepted.rejected)
            return refuse(.badRequest, accepted.rejected.message)
        }
        do throws(Refusal) {
            let answer = try await accepted.commit()
            if answer.isRepeat {
                telemetry.receiver.duplicates.add()
            } else {
                telemetry.count(tally)
                telemetry.receiver.accepted.add(accepted.spanCount)
                telemetry.receiver.count(accepted.rejected)
            }
            telemetry.receiver.answered(204, startedAt: request.startedAt)
            return HTTPResponse(.noContent, contentType: "")
        } catch {
            telemetry.receiver.refused.add(accepted.spanCount)
            return response(to: .refused(error))
        }
    }

    private func read(
        _ request: HTTPRequest, _ translation: inout BeaconTranslation, at now: Timestamp
    ) throws(Intake.Failure) -> Intake.Accepted {
        let tenant = request.identity?.tenant
        try intake.admit(tenant, at: now)
        let payload: Payload
        do throws(Intake.Failure) {
            payload = try translation.translate(request.body.bytes)
        } catch {
            intake.charge(tenant, bytes: request.body.count, at: now)
            throw error
        }
        return try intake.process(
            payload, .json, knownBy: translation.isNamed ? request.body : nil, tenant: tenant, receivedAt: now)
    }

    private static let script: HTTPResponse = {
        let bytes = ByteBuffer(bytes: PackageResources.weir_beacon_js)
        var response = HTTPResponse(.ok, contentType: "text/javascript; charset=utf-8", body: bytes)
        response.headers = [
            ("Cache-Control", "public, max-age=3600"), ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return response
    }()

    private func response(to failure: Intake.Failure) -> HTTPResponse {
        switch failure {
        case .undecodable(.malformed(let what, _)): refuse(.badRequest, what)
        case .undecodable(.tooLarge), .unreadable: refuse(.payloadTooLarge, "the request is too large")
        case .refused(.tooLarge(let reason)): refuse(.payloadTooLarge, reason)
        case .refused(.overloaded(let reason, let pause)):
            refuse(.serviceUnavailable, reason).retry(after: max(pause, configuration.retryAfter))
        case .refused(.overQuota(let reason, let pause)):
            refuse(.tooManyRequests, reason).retry(after: max(pause, configuration.retryAfter))
        case .refused(.stopping): response(to: .stopping, head: nil)
        case .unrouted(let tenant): refuse(.forbidden, "no pipeline takes spans of the tenant \(tenant)")
        }
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        switch fault {
        case .malformed(let what): refuse(.badRequest, "the request is not sound HTTP: \(what)")
        // Who has asked the client has logged it.
        case .unauthenticated: deny(.unauthorized, "found no key that is known, wanted \(Self.path)/KEY")
        case .forbidden(let reason): deny(.forbidden, reason)
        case .tooManyFailures(let pause): deny(.tooManyRequests, "found too many wrong keys").retry(after: pause)
        case .headersTooLarge: refuse(.requestHeaderFieldsTooLarge, "the header fields are too large")
        case .bodyTooLarge(let limit):
            refuse(.payloadTooLarge, "the body has more than max_request_body_size, \(limit) bytes")
        case .headerTimeout: refuse(.requestTimeout, "the head did not come within read_header_timeout")
        case .bodyTimeout: refuse(.requestTimeout, "the body did not come within read_timeout")
        case .tooManyConnections: busy("there are more than max_connections connections")
        case .tooManyBytesInFlight: busy("requests hold max_in_flight_bytes already, or this client its part")
        case .notReady: busy("the keys of clients are not known yet")
        case .stopping: busy("the collector is stopping")
        }
    }

    private func wrongMethod(_ head: HTTPRequestHead, _ wanted: String) -> HTTPResponse {
        var response = refuse(.methodNotAllowed, "found method \(head.method), wanted \(wanted)")
        response.headers.append(("Allow", wanted))
        return response
    }

    private func busy(_ reason: String) -> HTTPResponse {
        refuse(.serviceUnavailable, reason).retry(after: configuration.retryAfter)
    }

    private func refuse(_ status: HTTPResponseStatus, _ reason: String) -> HTTPResponse {
        deny(status, reason).refusing(reason)
    }

    private func deny(_ status: HTTPResponseStatus, _ reason: String) -> HTTPResponse {
        telemetry.receiver.answered(Int(status.code))
        return HTTPResponse(status, text: reason + "\n")
    }
}

extension HTTPRequest {
    /// When its head had come: what the client's clock said was said before the body, which may take its time.
    fileprivate func arrival(by now: Timestamp) -> Timestamp {
        let passed = max(0, (NIODeadline.now() - startedAt).nanoseconds)
        return Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, UInt64(passed)))
    }
}

extension HTTPRequestHead {
    /// In lower case, as browsers write it (RFC 6454 6.2): however it is written, it is one origin.
    fileprivate var origin: String { headers.first(name: "origin")?.lowercased() ?? "" }

    /// `sent` of the query: what the client's clock said, in milliseconds since 1970.
    fileprivate var sentAt: Double? {
        guard let mark = uri.firstIndex(of: "?") else { return nil }
        let query = uri[mark...].dropFirst().split(separator: "&")
        return query.first { $0.hasPrefix("sent=") }.flatMap { Double($0.dropFirst(5)) }
    }
}

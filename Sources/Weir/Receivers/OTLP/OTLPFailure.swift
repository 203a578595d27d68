import NIOHTTP1

/// Why a request was not taken, as either protocol says it.
struct OTLPFailure: Error {
    let status: HTTPResponseStatus
    let code: RPCStatus.Code
    let message: String
    /// When the client is to come again; nil where that would change nothing.
    var retryDelay: Duration?
    /// Whether who found it has told the log.
    var isLogged = false

    init(_ status: HTTPResponseStatus, _ code: RPCStatus.Code, _ message: String, retryDelay: Duration? = nil) {
        (self.status, self.code, self.message, self.retryDelay) = (status, code, message, retryDelay)
    }

    private static func busy(_ reason: String, _ pause: Duration) -> OTLPFailure {
        OTLPFailure(.serviceUnavailable, .unavailable, reason, retryDelay: pause)
    }

    private static func denied(
        _ status: HTTPResponseStatus, _ code: RPCStatus.Code, _ message: String, retryDelay: Duration? = nil
    ) -> OTLPFailure {
        var failure = OTLPFailure(status, code, message, retryDelay: retryDelay)
        failure.isLogged = true
        return failure
    }
}

extension OTLPFailure {
    init(_ failure: Intake.Failure, _ limits: OTLPLimits) {
        switch failure {
        case .undecodable(.malformed(let what, let offset)):
            self.init(.badRequest, .invalidArgument, "\(what), at byte \(offset)")
        case .refused(.tooLarge(let reason)): self.init(.payloadTooLarge, .invalidArgument, reason)
        case .undecodable(.tooLarge):
            self.init(
                .payloadTooLarge, .invalidArgument,
                "the request decodes to more than max_decoded_size, \(limits.maxDecodedBytes) bytes")
        case .unreadable(.corrupt(let what)): self.init(.badRequest, .invalidArgument, what)
        case .unreadable(.tooLarge): self.init(.bodyTooLarge(limit: limits.maxMessageBytes), limits)
        case .unreadable(.outOfMemory):
            self = .busy("there is no memory to decompress the body", limits.retryAfter)
        case .refused(.overloaded(let reason, let pause)): self = .busy(reason, max(pause, limits.retryAfter))
        case .refused(.overQuota(let reason, let pause)):
            self.init(.tooManyRequests, .resourceExhausted, reason, retryDelay: max(pause, limits.retryAfter))
        case .refused(.stopping): self.init(.stopping, limits)
        case .unrouted(let tenant):
            self.init(.forbidden, .permissionDenied, "no pipeline takes spans of the tenant \(tenant)")
        }
    }

    init(_ fault: HTTPFault, _ limits: OTLPLimits) {
        switch fault {
        case .malformed(let what): self.init(.badRequest, .invalidArgument, "the request is not sound HTTP: \(what)")
        case .unauthenticated(let reason): self = .denied(.unauthorized, .unauthenticated, reason)
        case .forbidden(let reason): self = .denied(.forbidden, .permissionDenied, reason)
        case .tooManyFailures(let pause):
            self = .denied(
                .tooManyRequests, .resourceExhausted, "found too many wrong keys, wanted a pause", retryDelay: pause)
        case .headersTooLarge:
            self.init(
                .requestHeaderFieldsTooLarge, .invalidArgument,
                "the header fields have more than \(HTTPLimits.maxHeaderBytes) bytes")
        case .bodyTooLarge:
            self.init(
                .payloadTooLarge, .invalidArgument,
                "the \(limits.messageKey == Fields.bodyKey ? "body" : "message") has more than "
                    + "\(limits.messageKey), \(limits.maxMessageBytes) bytes")
        case .headerTimeout:
            self.init(.requestTimeout, .deadlineExceeded, "the head did not come within read_header_timeout")
        case .bodyTimeout:
            self.init(.requestTimeout, .deadlineExceeded, "the body did not come within read_timeout")
        case .tooManyConnections:
            self = .busy("there are more than max_connections connections", limits.retryAfter)
        case .tooManyBytesInFlight:
            self = .busy("requests hold max_in_flight_bytes already, or this client its part", limits.retryAfter)
        case .notReady: self = .busy("the keys of clients are not known yet", limits.retryAfter)
        case .stopping: self = .busy("the collector is stopping", limits.retryAfter)
        }
    }
}

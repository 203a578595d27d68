import NIOHTTP1

extension HTTPFault {
    /// The answer of a listener whose limits have no keys.
    /// - Parameter make: puts a reason into a body.
    func response(_ make: (HTTPResponseStatus, String) -> HTTPResponse) -> HTTPResponse {
        switch self {
        case .malformed(let what): refuse(.badRequest, "the request is not sound HTTP: \(what)", make)
        // Who has asked the client has told the log, with the name of the key.
        case .unauthenticated(let reason): make(.unauthorized, reason).untold
        case .forbidden(let reason): make(.forbidden, reason).untold
        case .tooManyFailures(let pause):
            make(.tooManyRequests, "found too many wrong keys, wanted a pause").untold.retry(after: pause)
        case .headersTooLarge: refuse(.requestHeaderFieldsTooLarge, "the header fields are too large", make)
        case .bodyTooLarge(let limit): refuse(.payloadTooLarge, "the body has more than \(limit) bytes", make)
        case .headerTimeout: refuse(.requestTimeout, "the head did not come in time", make)
        case .bodyTimeout: refuse(.requestTimeout, "the body did not come in time", make)
        case .tooManyConnections: busy("there are too many connections", make)
        case .tooManyBytesInFlight: busy("other requests hold too many bytes", make)
        case .notReady: busy("the keys of clients are not known yet", make)
        case .stopping: busy("the collector is stopping", make)
        }
    }

    private func busy(_ reason: String, _ make: (HTTPResponseStatus, String) -> HTTPResponse) -> HTTPResponse {
        refuse(.serviceUnavailable, reason, make).retry(after: .seconds(1))
    }

    private func refuse(
        _ status: HTTPResponseStatus, _ reason: String, _ make: (HTTPResponseStatus, String) -> HTTPResponse
    ) -> HTTPResponse {
        make(status, reason).refusing(reason)
    }
}

extension HTTPResponse {
    fileprivate var untold: HTTPResponse {
        var response = self
        response.refusal = nil
        return response
    }
}

import NIOHTTP1

/// Tells browsers which pages may send requests to one listener (Fetch standard, "CORS protocol").
struct HTTPCORS: Sendable {
    /// What exporters of OpenTelemetry set by themselves.
    private static let usualHeaders = [
        "Content-Type", "Content-Encoding", "Authorization", "X-API-Key", "traceparent", "tracestate",
    ]

    private let origins: [OriginPattern]
    private let methods: String
    private let headers: String
    private let maxAge: Int

    init(_ configuration: CORSConfiguration) {
        self.init(
            configuration.origins, methods: "POST", headers: configuration.headers, maxAge: configuration.maxAge)
    }

    init(_ origins: [OriginPattern], methods: String, headers: [String] = [], maxAge: Int = 7_200) {
        self.origins = origins
        self.methods = methods
        self.headers = (Self.usualHeaders + headers).joined(separator: ", ")
        self.maxAge = maxAge
    }

    /// The answer to a browser that asks whether a page may send a request; nil where `head` is something else. A
    /// browser asks without the page's credentials, so nobody wants a key here.
    func preflight(_ head: HTTPRequestHead) -> HTTPResponse? {
        guard head.method == .OPTIONS, head.headers.contains(name: "access-control-request-method"),
            let origin = head.headers.first(name: "origin")
        else { return nil }
        guard isAllowed(origin) else {
            return .foreign(origin)
        }
        var response = HTTPResponse(.noContent, contentType: "")
        response.headers = [
            ("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", headers),
            ("Access-Control-Max-Age", "\(maxAge)"),
        ]
        return response
    }

    /// What every answer to a page has to have, so that the page may read it.
    func headers(for head: HTTPRequestHead?) -> [(name: String, value: String)] {
        // A cache must not give one page's answer to another.
        let vary = [(name: "Vary", value: "Origin")]
        guard let origin = head?.headers.first(name: "origin"), isAllowed(origin) else { return vary }
        let allowed =
            vary + [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "Retry-After")]
        // `navigator.sendBeacon` always sends credentials. Who says `*` has named nobody who may.
        guard origins.contains(where: { !$0.isAll && $0.matches(origin) }) else { return allowed }
        return allowed + [("Access-Control-Allow-Credentials", "true")]
    }

    private func isAllowed(_ origin: String) -> Bool {
        origins.contains { $0.matches(origin) }
    }
}

extension HTTPResponse {
    /// For a page that may not ask.
    static func foreign(_ origin: String) -> HTTPResponse {
        HTTPResponse(.forbidden, text: "this origin is not among allowed_origins\n")
            .refusing("found the origin \(String(origin.prefix(128)).quotedForMessage), wanted one of allowed_origins")
    }
}

/// How spans are written into a request.
enum OTLPHTTPEncoding: String, CaseIterable, Sendable {
    case proto, json

    var contentType: String {
        switch self {
        case .proto: "application/x-protobuf"
        case .json: "application/json"
        }
    }
}

/// The keys of `otlp_http`.
struct OTLPHTTPExporterConfiguration: Configurable {
    /// The destination of every request.
    let url: HTTPURL
    let encoding: OTLPHTTPEncoding
    let compression: Compression
    /// Their values are secrets.
    let headers: [(name: String, value: String)]
    let tls: ClientTLS?

    init(_ fields: inout Fields) throws(ConfigError) {
        let base = fields.parsed(
            "endpoint", default: HTTPURL?.none, type: "URL",
            "The destination's base URL, to which /v1/traces is added.", HTTPURL.init(parsing:))
        let full = fields.parsed(
            "traces_endpoint", default: HTTPURL?.none, type: "URL",
            "The whole URL of requests, in place of endpoint.", HTTPURL.init(parsing:))
        encoding = fields.choice(
            "encoding", default: .proto, "OTLP protobuf, which is sent as it was received, or OTLP/JSON.")
        compression = fields.choice("compression", default: .gzip, "How requests are compressed.")
        headers = fields.headers(
            "headers",
            reserved: ["connection", "content-encoding", "content-length", "content-type", "transfer-encoding"],
            "Header fields of each request by name. Their values are never shown.")
        tls = fields.optionalSection("tls", "For https: whom to believe, and who to be.", ClientTLS.init)
        if !fields.keys.contains("endpoint"), !fields.keys.contains("traces_endpoint") {
            fields.reject("", "has no destination, wanted endpoint or traces_endpoint")
        }
        if full == nil, let base, base.path.hasSuffix("/v1/traces") {
            fields.warn("endpoint", "requests go to \(base.appending("/v1/traces")); traces_endpoint is the whole URL")
        }
        // The last one is never used: what is missing or wrong was recorded.
        url = full ?? base?.appending("/v1/traces") ?? HTTPURL(.https, Endpoint(host: "", port: 443))
        if tls != nil, url.scheme != .https { fields.reject("tls", "found a URL with http, wanted https") }
    }
}

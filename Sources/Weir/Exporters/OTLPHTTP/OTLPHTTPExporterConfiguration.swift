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
        let written: WrittenCompression = fields.choice(
            "compression", default: .gzip, "How requests are compressed; an empty text is none.")
        compression = written.compression
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
        if let tls, !tls.isInsecure, url.scheme != .https {
            fields.reject("tls", "found a URL with http, wanted https, or insecure: true")
        }
        for key in Self.tuning { fields.ignore(key, "connections are as many as requests at once") }
        for key in ["metrics_endpoint", "logs_endpoint", "profiles_endpoint"] {
            fields.ignore(key, "Weir has traces only")
        }
        fields.ignore("compression_params", "the level is fixed")
    }

    /// Keys of the OpenTelemetry Collector's client.
    private static let tuning = [
        "read_buffer_size", "write_buffer_size", "max_idle_conns", "max_idle_conns_per_host", "max_conns_per_host",
        "idle_conn_timeout", "disable_keep_alives", "http2_read_idle_timeout", "http2_ping_timeout",
        "force_attempt_http2",
    ]
}

/// The compressions as a file has them.
private enum WrittenCompression: String, CaseIterable {
    case none, gzip, zstd
    case empty = ""

    var compression: Compression { Compression(rawValue: rawValue) ?? .none }
}

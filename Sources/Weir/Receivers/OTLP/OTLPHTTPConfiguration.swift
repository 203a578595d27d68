/// `protocols.http` of the receiver. Names as in the OpenTelemetry Collector where it has the same.
struct OTLPHTTPConfiguration: Sendable {
    let listener: ListenerConfiguration
    /// Which web pages may send; nil where none may.
    let cors: CORSConfiguration?
    let tracesPath: String
    let limits: OTLPLimits

    init(_ fields: inout Fields) {
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 4318), "Where spans are taken.")
        cors = fields.optionalSection(
            "cors", "Which web pages may send spans; without, none.", CORSConfiguration.init)
        tracesPath = fields.string("traces_url_path", default: "/v1/traces", "The path that takes traces.")
        let http = fields.httpLimits(body: .mebibytes(64), mostBody: .mebibytes(64))
        limits = OTLPLimits(&fields, http, maxMessageBytes: http.maxBodyBytes, Fields.bodyKey)
        if !tracesPath.hasPrefix("/") {
            fields.reject("traces_url_path", "found \"\(tracesPath)\", wanted a path that starts with /")
        }
    }
}

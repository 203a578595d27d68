/// `protocols.http` of the receiver. Names as in the OpenTelemetry Collector where it has the same.
struct OTLPHTTPConfiguration: Sendable {
    let listener: ListenerConfiguration
    let tracesPath: String
    let limits: OTLPLimits

    init(_ fields: inout Fields) {
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 4318), "Where spans are taken.")
        tracesPath = fields.string("traces_url_path", default: "/v1/traces", "The path that takes traces.")
        let largest = fields.bytes(
            OTLPLimits.httpKey, default: .mebibytes(64), in: ByteCount(1)...(.mebibytes(64)),
            "A larger body is answered 413. Counts before and after decompression.")
        var limits = OTLPLimits(&fields, maxMessageBytes: largest.bytes, OTLPLimits.httpKey)
        limits.http.idleTimeout = fields.duration(
            "idle_timeout", default: .seconds(60), in: OTLPLimits.waits,
            "A connection without a request this long is closed.")
        self.limits = limits
        if !tracesPath.hasPrefix("/") {
            fields.reject("traces_url_path", "found \"\(tracesPath)\", wanted a path that starts with /")
        }
    }
}

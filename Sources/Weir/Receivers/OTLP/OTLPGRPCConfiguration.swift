/// `protocols.grpc` of the receiver. Names as in the OpenTelemetry Collector where it has the same.
struct OTLPGRPCConfiguration: Sendable {
    private static let messageKey = "max_recv_msg_size_mib"

    let listener: ListenerConfiguration
    let limits: OTLPLimits

    init(_ fields: inout Fields) {
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 4317), "Where spans are taken.")
        let largest = fields.int(
            Self.messageKey, default: 64, in: 1...64,
            "A larger message is answered RESOURCE_EXHAUSTED. Counts before and after decompression.")
        let http = fields.httpLimits(maxBodyBytes: (largest << 20) + GRPCFraming.prefixLength, Self.messageKey)
        var limits = OTLPLimits(&fields, http, maxMessageBytes: largest << 20, Self.messageKey)
        limits.http.http2.maxConcurrentStreams = fields.int(
            "max_concurrent_streams", default: 100, in: 1...10_000, "Requests on a connection at once.")
        fields.section("keepalive", "How long connections live.") { fields in
            fields.section("server_parameters", "What the server does about it.") { fields in
                Self.readKeepalive(&fields, &limits.http)
            }
            fields.ignore("enforcement_policy", "frames that cost work are limited for every client")
        }
        self.limits = limits
        for key in ["read_buffer_size", "write_buffer_size"] { fields.ignore(key, "buffers are sized by themselves") }
        fields.ignore("include_metadata", "who sends a request is known by its key")
    }

    private static func readKeepalive(_ fields: inout Fields, _ limits: inout HTTPLimits) {
        let waits = Fields.waits
        limits.idleTimeout = fields.duration(
            "max_connection_idle", default: .seconds(300), in: waits,
            "A connection without a request this long is told to go.")
        let ages = Duration.zero...Duration.seconds(30 * 86_400)
        limits.http2.maxAge = fields.duration(
            "max_connection_age", default: .zero, in: ages,
            "A connection of this age is told to go, so that clients find other servers; 0s for never.")
        limits.http2.maxAgeGrace = fields.duration(
            "max_connection_age_grace", default: .zero, in: ages,
            "How long it may go on with the requests it has begun; 0s for as long as they take.")
        limits.http2.pingInterval = fields.duration(
            "time", default: .seconds(60), in: waits, "A client that is silent this long is asked whether it is there.")
        limits.http2.pingTimeout = fields.duration(
            "timeout", default: .seconds(20), in: waits, "One that does not answer that in time is cut.")
    }
}

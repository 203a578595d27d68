/// What one protocol of the receiver allows: the keys that all of them have.
struct OTLPLimits: Sendable {
    static let httpKey = "max_request_body_size"

    /// Of the server. What it calls a body may be a little more than a message.
    var http: HTTPLimits
    /// Bytes of a message, before and after decompression, and the key that says so.
    let maxMessageBytes: Int
    let messageKey: String
    let maxValueDepth: Int
    /// What the records of one request may take, in memory.
    let maxDecodedBytes: Int
    /// What a client is told that comes when there is no room.
    let retryAfter: Duration

    /// - Parameters:
    ///   - messageKey: the key of this limit.
    ///   - framing: bytes of a body around its message.
    init(_ fields: inout Fields, maxMessageBytes: Int, _ messageKey: String, framing: Int = 0) {
        self.maxMessageBytes = maxMessageBytes
        self.messageKey = messageKey
        var limits = HTTPLimits()
        limits.maxBodyBytes = maxMessageBytes + framing
        limits.maxBytesInFlight =
            fields.bytes(
                "max_in_flight_bytes", default: .mebibytes(256), in: .kibibytes(64)...(.tebibytes(1)),
                "Bodies being read or worked on, together; beyond it requests are answered 503 (gRPC: UNAVAILABLE)."
            ).bytes
        limits.maxConnections = fields.int(
            "max_connections", default: 4096, in: 1...1_000_000,
            "Beyond it connections are answered 503 (gRPC: UNAVAILABLE) and closed.")
        limits.readHeaderTimeout = fields.duration(
            "read_header_timeout", default: .seconds(10), in: Self.waits,
            "A slower head is answered 408 and cut (gRPC: a connection that takes longer to begin).")
        limits.readTimeout = fields.duration(
            "read_timeout", default: .seconds(30), in: Self.waits,
            "A slower body is answered 408 (gRPC: DEADLINE_EXCEEDED) and cut.")
        if limits.maxBytesInFlight < limits.maxBodyBytes {
            fields.reject(
                "max_in_flight_bytes",
                "found \(ByteCount(limits.maxBytesInFlight)), wanted at least \(messageKey), "
                    + "\(ByteCount(limits.maxBodyBytes)): a larger body could never be taken")
        }
        http = limits
        maxValueDepth = fields.int(
            "max_value_depth", default: 64, in: 1...200,
            "How deep an attribute value may be nested; a span with a deeper one is rejected.")
        maxDecodedBytes =
            fields.bytes(
                "max_decoded_size", default: .mebibytes(128), in: .mebibytes(1)...(.gibibytes(1)),
                "Memory for each kind of record that one request decodes to; one that needs more is answered 413 "
                    + "(gRPC: RESOURCE_EXHAUSTED)."
            ).bytes
        retryAfter = fields.duration(
            "retry_after", default: .seconds(1), in: .seconds(1)...(.seconds(3600)),
            "What Retry-After (gRPC: RetryInfo) says when there is no room.")
    }

    static let waits = Duration.milliseconds(10)...Duration.seconds(3600)
}

extension Intake {
    init(into pipelines: [Pipeline], _ limits: OTLPLimits) throws {
        try self.init(into: pipelines, maxValueDepth: limits.maxValueDepth, decodedLimit: limits.maxDecodedBytes)
    }
}

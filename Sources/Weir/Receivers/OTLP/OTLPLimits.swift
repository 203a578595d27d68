/// What one protocol of the receiver allows: the keys that all of them have.
struct OTLPLimits: Sendable {
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

    /// - Parameter messageKey: the key of the limit.
    init(_ fields: inout Fields, _ http: HTTPLimits, maxMessageBytes: Int, _ messageKey: String) {
        self.http = http
        self.maxMessageBytes = maxMessageBytes
        self.messageKey = messageKey
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
}

extension Intake {
    init(into routes: Routes, _ limits: OTLPLimits, _ quotas: Quotas? = nil) throws {
        try self.init(
            into: routes, maxValueDepth: limits.maxValueDepth, decodedLimit: limits.maxDecodedBytes, quotas: quotas)
    }
}

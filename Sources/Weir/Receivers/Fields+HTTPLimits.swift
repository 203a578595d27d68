/// The keys that bound what clients of one listener can make it hold. Names as in the OpenTelemetry Collector.
extension Fields {
    /// The key of the largest body.
    static let bodyKey = "max_request_body_size"
    /// What anybody may be waited for.
    static let waits = Duration.milliseconds(10)...Duration.seconds(3600)

    /// - Parameters:
    ///   - body: the default of `max_request_body_size`.
    ///   - mostBody: what it may be at most.
    mutating func httpLimits(body: ByteCount, mostBody: ByteCount) -> HTTPLimits {
        let largest = bytes(
            Self.bodyKey, default: body, in: ByteCount(1)...mostBody,
            "A larger body is answered 413. Counts before and after decompression.")
        var limits = httpLimits(maxBodyBytes: largest.bytes, Self.bodyKey)
        limits.idleTimeout = duration(
            "idle_timeout", default: .seconds(60), in: Self.waits,
            "A connection without a request this long is closed.")
        return limits
    }

    /// - Parameter key: that of the largest body.
    mutating func httpLimits(maxBodyBytes: Int, _ key: String) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.maxBodyBytes = maxBodyBytes
        limits.maxBytesInFlight =
            bytes(
                "max_in_flight_bytes", default: .mebibytes(256), in: .kibibytes(64)...(.tebibytes(1)),
                "Bodies being read or worked on, together, of a tenant as much as is then free; "
                    + "beyond it requests are answered 503 (gRPC: UNAVAILABLE)."
            ).bytes
        limits.maxConnections = int(
            "max_connections", default: 4096, in: 1...1_000_000,
            "Beyond it connections are answered 503 (gRPC: UNAVAILABLE) and closed.")
        limits.readHeaderTimeout = duration(
            "read_header_timeout", default: .seconds(10), in: Self.waits,
            "A slower head is answered 408 and cut (gRPC: a connection that takes longer to begin).")
        limits.readTimeout = duration(
            "read_timeout", default: .seconds(30), in: Self.waits,
            "A slower body is answered 408 (gRPC: DEADLINE_EXCEEDED) and cut.")
        if limits.maxBytesInFlight < limits.maxBodyBytes {
            reject(
                "max_in_flight_bytes",
                "found \(ByteCount(limits.maxBytesInFlight)), wanted at least \(key), "
                    + "\(ByteCount(limits.maxBodyBytes)): a larger body could never be taken")
        }
        return limits
    }
}

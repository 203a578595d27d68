/// The keys that bound what clients of one listener can make it hold. Names as in the OpenTelemetry Collector.
extension Fields {
    /// - Parameters:
    ///   - body: the default of `max_request_body_size`.
    ///   - mostBody: what it may be at most.
    mutating func httpLimits(body: ByteCount, mostBody: ByteCount) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.maxBodyBytes =
            bytes(
                "max_request_body_size", default: body, in: ByteCount(1)...mostBody,
                "A larger body is answered 413. Counts before and after decompression."
            ).bytes
        limits.maxBytesInFlight =
            bytes(
                "max_in_flight_bytes", default: .mebibytes(256), in: .kibibytes(64)...(.tebibytes(1)),
                "Bodies being read or worked on, together; beyond it requests are answered 503."
            ).bytes
        limits.maxConnections = int(
            "max_connections", default: 4096, in: 1...1_000_000, "Beyond it connections are answered 503 and closed.")
        let waits = Duration.milliseconds(10)...Duration.seconds(3600)
        limits.readHeaderTimeout = duration(
            "read_header_timeout", default: .seconds(10), in: waits, "A slower head is answered 408 and cut.")
        limits.readTimeout = duration(
            "read_timeout", default: .seconds(30), in: waits, "A slower body is answered 408 and cut.")
        limits.idleTimeout = duration(
            "idle_timeout", default: .seconds(60), in: waits, "A connection without a request this long is closed.")
        if limits.maxBytesInFlight < limits.maxBodyBytes {
            reject(
                "max_in_flight_bytes",
                "found \(ByteCount(limits.maxBytesInFlight)), wanted at least max_request_body_size, "
                    + "\(ByteCount(limits.maxBodyBytes)): a larger body could never be taken")
        }
        return limits
    }
}

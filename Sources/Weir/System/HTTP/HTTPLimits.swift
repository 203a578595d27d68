import NIOCore

/// What one HTTP server allows. Reaching a limit has a named outcome: ``HTTPFault``.
struct HTTPLimits: Sendable {
    /// Bytes of a body as it is sent; the same limit holds for what it decodes to.
    var maxBodyBytes = 64 << 20
    /// Bytes of bodies that are being read or worked on, in the whole server.
    var maxBytesInFlight = 256 << 20
    var maxConnections = 4096
    /// From the first byte of a request to the end of its head.
    var readHeaderTimeout = Duration.seconds(10)
    /// From the end of the head to the end of the body.
    var readTimeout = Duration.seconds(30)
    /// Between requests, and for a client that does not read its answers.
    var idleTimeout = Duration.seconds(60)
    /// How long a stopping server waits for answers that are due.
    var drainTimeout = Duration.seconds(30)
    var http2 = HTTP2Limits()

    /// Bytes of all header fields of a request.
    static let maxHeaderBytes = 64 << 10
    /// Connections over `maxConnections` that are told so with a 503. Beyond, they are closed without a word.
    static let politeConnections = 256
    /// A body that is refused before it came is read to its end if it is at most this long, so that the connection can
    /// be kept.
    static let maxSkippedBody = 1 << 20

    /// Why a connection is cut of which nothing has come.
    static let silence = "it said nothing within read_header_timeout"

    var shortestTimeout: Duration { min(readHeaderTimeout, readTimeout, idleTimeout) }
}

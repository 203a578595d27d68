import NIOCore
import NIOHPACK
import NIOHTTP2

/// What one HTTP/2 connection may do. Whoever goes beyond is sent away with GOAWAY, or a stream with RST_STREAM.
struct HTTP2Limits: Sendable {
    var maxConcurrentStreams = 100
    /// After so much silence the client is asked whether it is still there.
    var pingInterval = Duration.seconds(60)
    /// How long it may take to say so.
    var pingTimeout = Duration.seconds(20)
    /// A connection of this age is told to go; zero for never.
    var maxAge = Duration.zero
    /// How long such a connection may go on with what it has begun; zero for as long as that takes.
    var maxAgeGrace = Duration.zero

    /// Bytes that a client may send on one stream, and on all, before it is told to go on.
    static let streamWindow = 1 << 20
    static let connectionWindow = 4 << 20
    /// CVE-2023-44487, "rapid reset": streams that a client begins and takes back.
    static let resets = (count: 200, within: TimeAmount.seconds(30))
    /// PING, SETTINGS and PRIORITY each cost an answer or some work. Clients of gRPC in Go send a PING for what they
    /// read, as often as the round trip allows, so a low limit would cut sound ones.
    static let controlFrames = (count: 1_000, within: TimeAmount.milliseconds(100))
    /// CVE-2024-27316: a head in endless CONTINUATION frames.
    static let continuationFrames = 16

    var connection: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: maxConcurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HTTPLimits.maxHeaderBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: Self.streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: 64 << 10),
        ]
        configuration.targetWindowSize = Self.connectionWindow
        configuration.maximumSequentialContinuationFrames = Self.continuationFrames
        // Frames that were on their way when a stream was refused are no fault of the client's.
        configuration.maximumRecentlyResetStreams = maxConcurrentStreams
        configuration.controlFrameRateLimit.maximumCount = Self.controlFrames.count
        configuration.controlFrameRateLimit.windowLength = Self.controlFrames.within
        return configuration
    }

    var stream: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = Self.streamWindow
        configuration.streamResetFrameRateLimit.maximumCount = Self.resets.count
        configuration.streamResetFrameRateLimit.windowLength = Self.resets.within
        return configuration
    }
}

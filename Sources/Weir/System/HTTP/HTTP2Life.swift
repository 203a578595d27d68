import NIOCore

/// How long an HTTP/2 connection lives: when it is asked whether it is still there, told to go, and cut.
///
/// To be told to go is GOAWAY and a PING. Whoever answers that knows, and begins nothing more; once nothing is left to
/// answer, the server's side is closed, and the client has some time to close its own.
struct HTTP2Life {
    enum Action: Equatable {
        case ping, goAway, closeOutput, cut
    }

    private enum Phase: Equatable {
        /// No frame has come.
        case opening
        case open
        /// Told to go.
        case leaving(isAcknowledged: Bool)
        /// Nothing is left to answer.
        case lingering
        case over
    }

    private let limits: HTTPLimits
    private let openedAt: NIODeadline
    private var phase = Phase.opening
    private var readAt: NIODeadline
    /// When the last stream ended; nil while there is one.
    private var idleSince: NIODeadline?
    private var pingedAt: NIODeadline?
    private var leftAt = NIODeadline.distantFuture
    private var cutAt = NIODeadline.distantFuture
    private var streams = 0

    init(_ limits: HTTPLimits, at now: NIODeadline) {
        self.limits = limits
        (openedAt, readAt, idleSince) = (now, now, now)
    }

    var hasBegun: Bool { phase != .opening }

    /// A frame came.
    mutating func read(at now: NIODeadline) {
        if phase == .opening { phase = .open }
        readAt = now
        pingedAt = nil
    }

    mutating func streamBegan() {
        streams += 1
        idleSince = nil
    }

    mutating func streamEnded(at now: NIODeadline) -> Action? {
        streams -= 1
        if streams == 0 { idleSince = now }
        return lingerIfDone(at: now)
    }

    /// - Parameter grace: for what it has begun; zero for as long as that takes.
    mutating func leave(grace: Duration = .zero, at now: NIODeadline) -> Action? {
        guard phase == .opening || phase == .open else { return nil }
        guard hasBegun else {
            phase = .over
            return .cut
        }
        phase = .leaving(isAcknowledged: false)
        leftAt = now
        if grace > .zero { cutAt = now + TimeAmount(grace) }
        return .goAway
    }

    /// The PING that went with GOAWAY was answered.
    mutating func acknowledged(at now: NIODeadline) -> Action? {
        guard case .leaving = phase else { return nil }
        phase = .leaving(isAcknowledged: true)
        return lingerIfDone(at: now)
    }

    private mutating func lingerIfDone(at now: NIODeadline) -> Action? {
        guard streams == 0, phase == .leaving(isAcknowledged: true) else { return nil }
        phase = .lingering
        cutAt = now + TimeAmount(limits.readTimeout)
        return .closeOutput
    }

    /// What is due now; asked until it is nothing.
    mutating func look(at now: NIODeadline) -> Action? {
        guard due <= now else { return nil }
        guard phase == .open else {
            phase = .over
            return .cut
        }
        if let agedAt, agedAt <= now { return leave(grace: limits.http2.maxAgeGrace, at: now) }
        if let idleAt, idleAt <= now { return leave(at: now) }
        if pingedAt == nil {
            pingedAt = now
            return .ping
        }
        phase = .over
        return .cut
    }

    /// When to look.
    var due: NIODeadline {
        switch phase {
        case .opening: openedAt + TimeAmount(limits.readHeaderTimeout)
        case .open: min(agedAt ?? .distantFuture, idleAt ?? .distantFuture, silentAt)
        case .leaving(isAcknowledged: false): min(cutAt, leftAt + TimeAmount(limits.http2.pingTimeout))
        case .leaving, .lingering: cutAt
        case .over: .distantFuture
        }
    }

    private var agedAt: NIODeadline? {
        limits.http2.maxAge > .zero ? openedAt + TimeAmount(limits.http2.maxAge) : nil
    }

    private var idleAt: NIODeadline? { idleSince.map { $0 + TimeAmount(limits.idleTimeout) } }

    private var silentAt: NIODeadline {
        pingedAt.map { $0 + TimeAmount(limits.http2.pingTimeout) } ?? readAt + TimeAmount(limits.http2.pingInterval)
    }
}

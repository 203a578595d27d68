import Glibc
import Logging
import Synchronization

/// Where log lines go: a file descriptor, behind a ``LogLimiter`` that all loggers share.
final class LogSink: Sendable {
    private let encoding: TelemetryConfiguration.LogEncoding
    private let descriptor: Int32
    private let clock: @Sendable () -> Duration
    private let limiter: Mutex<LogLimiter>
    private let lost = Atomic<Int>(0)

    /// - Parameters:
    ///   - descriptor: written to and never closed.
    ///   - clock: the time since 1970-01-01T00:00:00Z.
    init(
        _ encoding: TelemetryConfiguration.LogEncoding, descriptor: Int32 = STDERR_FILENO,
        limiter: LogLimiter = LogLimiter(),
        clock: @escaping @Sendable () -> Duration = LogSink.systemTime
    ) {
        self.encoding = encoding
        self.descriptor = descriptor
        self.limiter = Mutex(limiter)
        self.clock = clock
    }

    /// Lines that could not be written, because the descriptor's other end was closed or full.
    var lostLines: Int { lost.load(ordering: .relaxed) }

    func log(_ level: Logger.Level, label: String, message: String, metadata: [String: String]) {
        let now = clock()
        // A message of more than that has data in it, and is told apart by how it begins.
        let key = LogLimiter.Key(level: level, label: label, message: String(message.unicodeScalars.prefix(256)))
        let (over, verdict) = limiter.withLock { limiter in
            (limiter.endTick(at: now), limiter.admit(key, at: now))
        }
        write(over, at: now)
        guard case .pass(let suppressed) = verdict else { return }
        write(
            LogLine(
                encoding, time: now, level: level, label: label, message: message, metadata: metadata,
                suppressed: suppressed))
    }

    /// Tells what a tick that is over held back. To be called about once a second, since after a flood there may be no
    /// line for long that would bring it out.
    func endTick() {
        let now = clock()
        write(limiter.withLock { $0.endTick(at: now) }, at: now)
    }

    /// Tells what is held back now: for the end of the process.
    func finish() {
        write(limiter.withLock { $0.endTick() }, at: clock())
    }

    static func systemTime() -> Duration {
        .nanoseconds(Int64(clamping: Timestamp.now().nanoseconds))
    }
}

extension LogSink {
    private func write(_ summaries: [LogLimiter.Summary], at now: Duration) {
        for summary in summaries {
            write(
                LogLine(
                    encoding, time: now, level: summary.key?.level ?? .warning, label: summary.key?.label ?? "weir.log",
                    message: "equal lines were suppressed",
                    metadata: ["of": summary.key?.message ?? "(various)"], suppressed: summary.suppressed))
        }
    }

    /// A line is one write(2), so that lines of several threads or processes do not mix. Only where the kernel takes a
    /// part of it, there is a second one for the rest.
    private func write(_ line: LogLine) {
        line.bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    lost.wrappingAdd(1, ordering: .relaxed)
                    return
                }
                rest = rest.dropFirst(written)
            }
        }
    }
}

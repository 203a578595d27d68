// A signal source may be used from any thread; Dispatch for Linux does not say so in its types.
@preconcurrency import Dispatch
import Glibc

/// The signals that ask the process to stop.
enum Signals {
    /// Another signal to stop within this time is the same one: `timeout` sends it to the process and to its group.
    private static let repeatTime = Duration.milliseconds(200)

    /// Calls `stop` at the first SIGTERM or SIGINT. Another one, later than that, ends the process at once.
    static func onTermination(_ stop: @escaping @Sendable () -> Void) {
        let signals = arrivals(of: [SIGTERM, SIGINT])
        Task.detached {
            var first: ContinuousClock.Instant?
            for await _ in signals {
                if let first {
                    if ContinuousClock.now - first >= repeatTime { exitNow() }
                    continue
                }
                first = .now
                stop()
            }
        }
    }

    /// A peer that hangs up is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Calls `tidy` when SIGTERM or SIGINT ends the process, before that. On a thread of its own: all others may be
    /// waiting.
    static func beforeEnd(_ tidy: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "weir.end")
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // As long as it may be called there is the source.
                withExtendedLifetime(source) { tidy() }
                _exit(128 + number)
            }
            source.resume()
        }
    }

    /// Ends the process as it is.
    static func exitNow() {
        _exit(1)
    }

    /// Calls `reload` at every SIGHUP, one after the other.
    static func onHangUp(_ reload: @escaping @Sendable () async -> Void) {
        // It does not end a process that is about to hear it.
        signal(SIGHUP, SIG_IGN)
        let signals = arrivals(of: [SIGHUP])
        Task.detached {
            for await _ in signals { await reload() }
        }
    }

    private static func arrivals(of numbers: [Int32]) -> AsyncStream<Int32> {
        // Dispatch takes the signal over once the source is there. What comes before that does what it does by default;
        // were it ignored until then, it would be lost.
        AsyncStream { continuation in
            let sources = numbers.map { number in
                let source = DispatchSource.makeSignalSource(signal: number)
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in sources.forEach { $0.cancel() } }
        }
    }
}

// A signal source may be used from any thread; Dispatch for Linux does not say so in its types.
@preconcurrency import Dispatch
import Glibc

/// The signals that ask the process to stop.
enum Signals {
    /// Calls `stop` at the first SIGTERM or SIGINT. Another one ends the process at once.
    static func onTermination(_ stop: @escaping @Sendable () -> Void) {
        let signals = arrivals(of: [SIGTERM, SIGINT])
        Task.detached {
            var isStopping = false
            for await _ in signals {
                if isStopping { exitNow() }
                isStopping = true
                stop()
            }
        }
    }

    /// A peer that hangs up is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Ends the process as it is.
    static func exitNow() {
        _exit(1)
    }

    /// Calls `reload` at every SIGHUP, one after the other.
    static func onHangUp(_ reload: @escaping @Sendable () async -> Void) {
        let signals = arrivals(of: [SIGHUP])
        Task.detached {
            for await _ in signals { await reload() }
        }
    }

    private static func arrivals(of numbers: [Int32]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number)
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in sources.forEach { $0.cancel() } }
        }
    }
}

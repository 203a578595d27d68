// A signal source may be used from any thread; Dispatch for Linux does not say so in its types.
@preconcurrency import Dispatch
import Glibc

/// The signals that ask the process to stop.
enum Signals {
    /// Returns at the first SIGTERM or SIGINT. From then on, another one ends the process at once.
    static func waitForTermination() async {
        var signals = terminations().makeAsyncIterator()
        _ = await signals.next()
        let following = terminations()
        Task.detached {
            for await _ in following { _exit(1) }
        }
    }

    /// A peer that hangs up is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    private static func terminations() -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = [SIGTERM, SIGINT].map { number in
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

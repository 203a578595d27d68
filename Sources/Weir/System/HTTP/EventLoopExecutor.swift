import NIOCore

/// Runs the jobs of a task on an event loop, so that answering a request changes no thread. Waking a sleeping thread
/// costs as much as decoding 130 spans.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    /// Whether a job is running now.
    // Unsafe: it is read and written on the event loop only, which is one thread.
    nonisolated(unsafe) private var isRunning = false

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// A task that is started on the loop begins at once: a request that waits for nothing is then answered before the
    /// loop asks the kernel for more. A job that another job makes ready waits for its turn, so that none nests.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if eventLoop.inEventLoop, !isRunning {
            run(job)
        } else {
            eventLoop.execute { self.run(job) }
        }
    }

    private func run(_ job: UnownedJob) {
        isRunning = true
        job.runSynchronously(on: asUnownedTaskExecutor())
        isRunning = false
    }
}

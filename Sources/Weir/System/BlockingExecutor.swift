import Dispatch

/// Runs an actor that waits for a disk outside the few threads that all tasks share, one job at a time.
final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    /// Runs `body` between the actor's jobs, on a thread that may wait for it: never one of the few that tasks share.
    func wait<Value>(_ body: () -> Value) -> Value {
        queue.sync(execute: body)
    }
}

/// A receiver at work.
struct RunningReceiver: Sendable {
    /// What of a configuration makes it what it is.
    let key: Int
    let receiver: any Receiver
    let routes: Routes
    private let task: Task<Void, Never>

    /// Returns once it takes requests.
    /// - Parameter onFailure: is called where it cannot go on later.
    static func start(
        _ id: ComponentID, _ receiver: any Receiver, key: Int, into routes: Routes,
        onFailure: @escaping @Sendable (any Error) -> Void
    ) async throws -> RunningReceiver {
        let (outcomes, outcome) = AsyncStream<Result<Void, ListenFailure>>.makeStream()
        let task = Task {
            do {
                try await receiver.run(into: routes) { outcome.yield(.success(())) }
            } catch {
                outcome.yield(.failure(ListenFailure(component: id.description, reason: "\(error)")))
            }
            outcome.finish()
        }
        try await outcomes.first { _ in true }?.get()
        Task {
            for await case .failure(let failure) in outcomes { onFailure(failure) }
        }
        return RunningReceiver(key: key, receiver: receiver, routes: routes, task: task)
    }

    private init(key: Int, receiver: any Receiver, routes: Routes, task: Task<Void, Never>) {
        (self.key, self.receiver, self.routes, self.task) = (key, receiver, routes, task)
    }

    /// The same, after it became another.
    func with(key: Int, _ routes: Routes) -> RunningReceiver {
        RunningReceiver(key: key, receiver: receiver, routes: routes, task: task)
    }

    /// Answers what is in flight, and returns.
    func stop() async {
        task.cancel()
        await task.value
    }
}

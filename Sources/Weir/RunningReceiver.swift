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
        let task = try await Listening.start(id.description, onFailure: onFailure) { onListening in
            try await receiver.run(into: routes, onReady: onListening)
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

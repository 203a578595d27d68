/// What listens, at work.
enum Listening {
    /// Returns once it takes requests.
    /// - Parameters:
    ///   - component: what a failure is told of.
    ///   - onFailure: is called where it cannot go on later.
    static func start(
        _ component: String, onFailure: @escaping @Sendable (any Error) -> Void,
        _ run: @escaping @Sendable (_ onListening: @escaping @Sendable () -> Void) async throws -> Void
    ) async throws -> Task<Void, Never> {
        let (outcomes, outcome) = AsyncStream<Result<Void, StartFailure>>.makeStream()
        let task = Task {
            do {
                try await run { outcome.yield(.success(())) }
            } catch {
                outcome.yield(.failure(StartFailure(component: component, reason: "\(error)")))
            }
            outcome.finish()
        }
        try await outcomes.first { _ in true }?.get()
        Task {
            for await case .failure(let failure) in outcomes { onFailure(failure) }
        }
        return task
    }
}

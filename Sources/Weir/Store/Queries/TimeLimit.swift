/// How long an answer is waited for.
struct TimeLimit: Sendable {
    static let `default` = TimeLimit(duration: .seconds(30))

    let duration: Duration

    /// Cancels `body` when the time is over, and waits for its end.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(QueryError) -> Value
    ) async throws(QueryError) -> Value {
        let result = await withTaskGroup(of: Result<Value, QueryError>.self) { group in
            group.addTask {
                do throws(QueryError) {
                    return .success(try await body())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                // Ends early when there is an answer, which is then the first result.
                try? await Task.sleep(for: duration)
                return .failure(.timedOut(duration))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(.timedOut(duration))
        }
        return try result.get()
    }
}

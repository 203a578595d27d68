import Testing

/// Waits until the condition holds, and fails the test if it does not within half a minute and a thousand looks. A look
/// waits for its turn among all tests: where some of them hold up the few threads of tasks, time alone says little.
func eventually(
    _ what: Comment, at location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    var looks = 0
    while try !condition() {
        looks += 1
        guard looks < 1_000 || ContinuousClock.now < deadline else {
            Issue.record("not within 30 seconds and 1000 looks: \(what)", sourceLocation: location)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}

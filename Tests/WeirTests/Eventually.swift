import Testing

/// Waits until the condition holds, and fails the test if it does not within five minutes and a thousand looks. A look
/// waits for its turn among all tests, and what it waits for does too: on a busy machine a hundred thousand spans take
/// more than a minute. Only a test that fails waits for so long.
func eventually(
    _ what: Comment, at location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    var looks = 0
    while try !condition() {
        looks += 1
        guard looks < 1_000 || ContinuousClock.now < deadline else {
            Issue.record("not within 300 seconds and 1000 looks: \(what)", sourceLocation: location)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}

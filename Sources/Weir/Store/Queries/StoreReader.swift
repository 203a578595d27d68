/// Answers questions about what the hot tables hold, whichever database they are in.
protocol StoreReader: Sendable {
    /// Waits for the answer no longer than the reader's time-out. Throws ``QueryError``; a requirement that says so
    /// crashes the compiler of Swift 6.3.
    func page<Query: StoreQuery>(_ query: Query) async throws -> Page<Query.Row>
}

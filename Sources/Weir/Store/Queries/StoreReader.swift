/// Answers questions about what the hot tables hold, whichever database they are in.
protocol StoreReader: Sendable {
    /// Waits for the answer no longer than the reader's time-out.
    func page<Query: StoreQuery>(_ query: Query) async throws(QueryError) -> Page<Query.Row>
}

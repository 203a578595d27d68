/// Answers questions about what the hot tables hold, whichever database they are in.
protocol StoreReader: Sendable {
    /// Waits for the answer no longer than the reader's time-out. Throws ``QueryError``; Swift 6.3 cannot compile a call
    /// of this through the protocol that says so.
    func page<Query: StoreQuery>(_ query: Query) async throws -> Page<Query.Row>
}

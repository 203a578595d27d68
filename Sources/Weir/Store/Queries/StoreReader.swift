/// Answers questions about what the hot tables hold, whichever database they are in.
protocol StoreReader: Sendable {
    /// Waits for the answer no longer than the reader's time-out. Throws ``QueryError``; a requirement that says so
    /// crashes the compiler of Swift 6.3.
    /// - Parameter maximum: of the values that are read. More are not: the answer is ``QueryError/tooLarge(_:)`` then.
    func page<Query: StoreQuery>(_ query: Query, atMost maximum: ByteCount?) async throws -> Page<Query.Row>
}

extension StoreReader {
    func page<Query: StoreQuery>(_ query: Query) async throws -> Page<Query.Row> {
        try await page(query, atMost: nil)
    }
}

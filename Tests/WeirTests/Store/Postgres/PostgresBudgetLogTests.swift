import Testing

@testable import Weir

@Suite struct PostgresBudgetLogTests {
    private func crossing(_ budget: String) -> BudgetCrossing {
        BudgetCrossing(
            key: BudgetCrossing.Key(
                budget: budget, tenant: "acme", id: "", windowStart: Timestamp(nanoseconds: 0), level: .soft),
            scope: .tenant, window: .day, threshold: 1, spent: 2, at: Timestamp(nanoseconds: 1_000))
    }

    /// Who wrote half of them would say that half to nobody: they are there when they are tried again.
    @Test func crossingsAreWrittenTogetherOrNotAtAll() async throws {
        let sample = try QuerySample(.postgres)
        try await sample.add([QuerySample.span(1)])
        try sample.change("ALTER TABLE budget_crossings ADD CONSTRAINT refused CHECK (budget <> 'refused')")
        let log = sample.store.budgetLog
        await #expect(throws: PostgresError.self) { try await log.record([crossing("a"), crossing("refused")]) }
        #expect(try sample.lasting("SELECT budget FROM budget_crossings") == [])
        #expect(try await log.record([crossing("a")]) == [crossing("a")])
        #expect(try await log.record([crossing("a"), crossing("b")]) == [crossing("b")])
        #expect(try await log.record([]) == [])
    }
}

import Testing

@testable import Weir

/// What is kept of budgets that were used up, in either database.
@Suite struct BudgetLogTests {
    private func crossing(
        _ budget: String = "b", _ level: BudgetCrossing.Level = .soft, threshold: Int128 = 10, at seconds: UInt64 = 1
    ) -> BudgetCrossing {
        BudgetCrossing(
            key: BudgetCrossing.Key(
                budget: budget, tenant: "acme", id: "", windowStart: Timestamp(nanoseconds: 0), level: level),
            scope: .tenant, window: .day, threshold: threshold, spent: threshold + 1,
            at: Timestamp(nanoseconds: seconds * 1_000_000_000))
    }

    private func log(_ database: HotDatabase) async throws -> (QuerySample, any BudgetLog) {
        let sample = try QuerySample(database)
        try await sample.add([QuerySample.span(1)])
        return (sample, sample.store.budgetLog)
    }

    @Test(arguments: HotDatabase.allCases)
    func aThresholdThatWasRaisedIsNewsOnceItIsReached(database: HotDatabase) async throws {
        let (_, log) = try await log(database)
        let first = crossing(threshold: 900_000_000_000)
        #expect(try await log.record([first]) == [first])
        #expect(try await log.claim(first))
        try await log.noteNotified(first, at: Timestamp(nanoseconds: 5_000_000_000))
        let raised = crossing(threshold: 10_000_000_000_000, at: 2)
        #expect(try await log.record([raised]) == [raised])
        #expect(try await log.record([raised, first]) == [])
        // What was told of the first is not told of the second.
        #expect(try await log.unnotified(of: ["b"], since: Timestamp(nanoseconds: 0)) == [raised])
        #expect(try await !log.claim(first))
        // What is usual changes with what comes late.
        #expect(try await log.record([crossing("s", .spike)]).count == 1)
        #expect(try await log.record([crossing("s", .spike, threshold: 20)]) == [])
    }

    @Test(arguments: HotDatabase.allCases)
    func whatIsToBeToldIsThatOfTheBudgetsThatWereAskedFor(database: HotDatabase) async throws {
        let (_, log) = try await log(database)
        let crossings = ["a", "b", "c"].map { crossing($0) }
        #expect(try await log.record(crossings) == crossings)
        let found = try await log.unnotified(of: ["a", "c", "d \"e\""], since: Timestamp(nanoseconds: 0))
        #expect(Set(found.map(\.key.budget)) == ["a", "c"])
        #expect(try await log.unnotified(of: ["a"], since: Timestamp(nanoseconds: 2_000_000_000)) == [])
    }

    /// Two Weirs on one database have the same budgets.
    @Test func ofTwoProcessesOneTellsTheWebhook() async throws {
        let (sample, log) = try await log(.postgres)
        let (one, other) = (crossing("a"), crossing("b"))
        _ = try await log.record([one, other])
        let second = sample.store.budgetLog
        #expect(try await log.claim(one))
        #expect(try await !second.claim(one))
        #expect(try await second.claim(other))
        try await second.release()
        // The webhook did not take it.
        try await log.release()
        #expect(try await second.claim(one))
        try await second.noteNotified(one, at: Timestamp(nanoseconds: 5_000_000_000))
        #expect(try await !log.claim(one))
        #expect(try await log.claim(other))
    }
}

import Testing

@testable import Weir

@Suite struct ByteBudgetTests {
    @Test func takesNothingWhereThereIsNoRoom() {
        let budget = ByteBudget(limit: 10)
        #expect(budget.acquire(4))
        #expect(budget.acquire(6))
        #expect(!budget.acquire(1))
        #expect(budget.inUse == 10)
        budget.release(6)
        #expect(!budget.acquire(7))
        #expect(budget.acquire(6))
    }

    @Test func neverHandsOutMoreThanItHas() async {
        let budget = ByteBudget(limit: 100)
        await withTaskGroup(of: Void.self) { group in
            for size in 1...4 {
                group.addTask {
                    for _ in 0..<5_000 where budget.acquire(size * 10) { budget.release(size * 10) }
                }
            }
        }
        #expect(budget.inUse == 0)
    }
}
